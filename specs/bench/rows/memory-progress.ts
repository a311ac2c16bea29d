/** A call in memory that tells its progress twenty times before its result; the caller counts them. */
import { type Revision, type Row, calls } from '../row.ts';
import { callers } from './callers.ts';

export const memoryProgress = (revision: Revision): Row => ({
  title: 'in-memory, 20 progress notices + result',
  revision,
  wanted: { sdk2: 0.04 },
  plan: calls,
  start: (cores) => callers(cores, revision, { file: 'memory.mjs', name: 'progress', lanes: 1 }),
});
