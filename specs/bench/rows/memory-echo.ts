/** An echo with validated input over each library's linked pair in memory, one call after another. */
import { type Revision, type Row, calls } from '../row.ts';
import { callers } from './callers.ts';

export const memoryEcho = (revision: Revision): Row => ({
  title: 'in-memory echo',
  revision,
  wanted: { sdk2: 0.08 },
  plan: calls,
  start: (cores) => callers(cores, revision, { file: 'memory.mjs', name: 'echo', lanes: 1 }),
});
