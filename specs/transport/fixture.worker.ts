/** A worker thread that serves whoever made it. */
import { parentPort } from 'node:worker_threads';
import { ports, serve, server, tool } from '../../lib/index.ts';
import { Schema } from '../../lib/index.ts';

if (parentPort === null) throw new Error('this is a program for a worker');
const hello = tool('hello', { input: Schema.Struct({ to: Schema.String }) }, ({ to }) => `Hello, ${to}`);
serve(server({ name: 'worker', version: '1' }, hello), ports(parentPort)).subscribe();
