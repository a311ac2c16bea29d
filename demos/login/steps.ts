/** The steps of a login, a line for each. */
import type { LoginStep } from 'rxmcp/auth';

const listed = (scopes: readonly string[]): string =>
  scopes.length === 0 ? 'nothing in particular' : scopes.join(' ');

const placeOf = (url: string): string => {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
};

const seconds = (until: number): string => `${Math.max(0, (until - Date.now()) / 1000).toFixed(1)} s`;

const told = {
  given: 'it was told before',
  document: 'it reads our document',
  dynamic: 'we have just registered',
  remembered: 'we remember',
} as const;

/** What has happened, in human words. */
export const wordsFor = (step: LoginStep): string => {
  switch (step.kind) {
    case 'asked':
      return `the server does not let us in; it wants ${listed(step.scopes)}`;
    case 'waiting':
      return 'another program is at it already';
    case 'discovered':
      return `${step.issuer} vouches for people there; we shall ask for ${listed(step.scopes)}`;
    case 'registered':
      return `it knows us as ${step.clientId}: ${told[step.how]}`;
    case 'visit':
      return `somebody is to open ${placeOf(step.url)}?…`;
    case 'code':
      return 'they have come back, with a code';
    case 'exchanged':
      return `${step.issuer} has vouched for us`;
    case 'token': {
      const until = step.expiresAt === undefined ? '' : `, good for ${seconds(step.expiresAt)}`;
      const how = step.by === 'refresh' ? 'renewed, without asking anybody' : 'given for the code';
      return `${how}: it allows ${listed(step.scopes)}${until}`;
    }
    case 'failed':
      return step.message;
  }
};
