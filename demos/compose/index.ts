/**
 * Servers out of servers: merged under prefixes, restricted, behind a gate, and reached through a proxy.
 *
 *     npm run demo compose
 */
import { fileURLToPath } from 'node:url';
import { throwError, type Subscription } from 'rxjs';
import { inMemory, invalidRequest, mergeServers, open, restrict, serve, type Exchange, type Middleware } from 'rxmcp';
import { listen, socket, spawn } from 'rxmcp/node';
import { check, story } from '../story/check.ts';
import { paint } from '../story/paint.ts';
import { chapter, good, say } from '../story/tell.ts';
import { cancel, refuse, tour } from './guest.ts';
import { kitchen } from './kitchen.ts';

const hello = fileURLToPath(new URL('../hello/server.ts', import.meta.url));
