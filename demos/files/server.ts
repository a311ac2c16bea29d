/**
 * Serves a folder over stdio.
 *
 *     node --import tsx demos/files/server.ts [folder]
 */
import { parseArgs } from 'node:util';
import { serve } from 'rxmcp';
import { stdio } from 'rxmcp/node';
import { files } from './files.ts';

try {
  const { positionals } = parseArgs({ allowPositionals: true });
  serve(files(positionals[0] ?? process.cwd()), stdio()).subscribe((event) => {
    // Standard error is for people; a failure is a defect of this server, not of its client's question.
    if (event.type === 'failure') console.error(event.method, event.error);
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
