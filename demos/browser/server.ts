/**
 * Serves a page that embeds our client, and the server that it talks to.
 *
 *     npm run demo:browser [-- --port 4173]
 */
import { parseArgs } from 'node:util';
import { house } from './house.ts';

try {
  const { values } = parseArgs({ options: { port: { type: 'string', default: process.env['PORT'] ?? '4173' } } });
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    throw new Error(`--port must be 0 to 65535; got ${JSON.stringify(values.port)}`);
  const { url, told$ } = await house(port);
  console.log(`Look at ${url} (Ctrl-C ends it)`);
  told$.subscribe((line) => console.log(line));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
