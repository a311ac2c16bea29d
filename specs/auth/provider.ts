/** The authorization server that specs log in at, and the people who do so: by a real browser, or without one. */
export { authorizationServer, gatekeeper, robot, type AuthorizationServer } from '../../demos/login/provider.ts';
export { visit, type Visitor } from '../../demos/login/provider-visitor.ts';
