/** The reference servers that the protocol's authors publish, each in a process of its own. */
import { fileURLToPath } from 'node:url';
import { spawn, type SpawnChannel } from 'rxmcp/node';

export const official = (
  name: 'everything' | 'filesystem' | 'memory',
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): SpawnChannel =>
  spawn(
    process.execPath,
    [
      fileURLToPath(new URL(`../../node_modules/@modelcontextprotocol/server-${name}/dist/index.js`, import.meta.url)),
      ...args,
    ],
    {
      env,
      // Of stdin's end they take no notice while a timer of theirs runs.
      closeGraceMs: 300,
    },
  );
