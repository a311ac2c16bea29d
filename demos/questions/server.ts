/**
 * Serves trips over stdio, to any MCP client that can show a form and a page.
 *
 *     node --import tsx demos/questions/server.ts
 */
import { serve } from 'rxmcp';
import { stdio } from 'rxmcp/node';
import { trips } from './trips.ts';

const server = trips();
// Standard error is for people.
server.errors$.subscribe(({ message }) => console.error(message));
serve(server, stdio()).subscribe({ error: console.error });
