/**
 * Starts `server.ts` as a process, calls its tool, and checks the answer.
 *
 *     npm run demo hello
 */
import { fileURLToPath } from 'node:url';
import { open } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import type { Hello } from './server.ts';

const program = fileURLToPath(new URL('server.ts', import.meta.url));

await using client = await open<Hello>(spawn(process.execPath, ['--import', 'tsx', program]));

client.call('greet', { name: 'Ada' }).subscribe((event) => console.log('heard', event.kind));
const { structuredContent } = await client.callTool('greet', { name: 'Ada' });
console.log(structuredContent?.greeting);

if (structuredContent?.greeting !== 'Hello, Ada!') process.exitCode = 1;
