/** The client's process, sixteen calls in flight, against the hand-written server on the other core. */
import { type Revision, type Row, calls, contenderFile } from '../row.ts';
import { callers } from './callers.ts';

export const stdioClient = (revision: Revision): Row => ({
  title: 'stdio client',
  revision,
  wanted: { sdk2: 0.35 },
  plan: calls,
  start: (cores) =>
    callers(cores, revision, {
      file: 'client.mjs',
      name: 'client',
      lanes: 16,
      args: cores.driving(contenderFile('bare', 'server.mjs')),
    }),
});
