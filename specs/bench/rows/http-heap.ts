/**
 * What a thousand of them hold in the server's JS heap, after full collections: `heapUsed` with them less `heapUsed`
 * before. Buffers live outside it and are not counted.
 */
import { type Library, type Revision, type Row, librariesOf } from '../row.ts';
import type { Plan } from '../rounds.ts';
import { type Serving, web } from './web.ts';

const plan: Plan = { rounds: 5, warmUps: 0, first: 1_000, turn: 0, by: 'bytes' };

const heap = (
  { title, revision, bytes }: { readonly title: string; readonly revision: Revision; readonly bytes: number },
  holds: 'streams' | 'sessions',
  serving: Pick<Serving, 'name' | 'libraries'>,
): Row => ({
  title,
  revision,
  wanted: { bytes },
  plan,
  start: (cores) =>
    web(
      cores,
      revision,
      { ...serving, file: 'http.mjs', args: ['json', '0'], flags: ['--expose-gc'] },
      { kind: 'http', tool: 'echo', lanes: 4, holds },
    ),
});

/** Each stream with its connection and all that Node keeps for that: a bare server's is in the table. */
export const heapOfStream: Row = heap(
  { title: 'heap of an open listen stream', revision: '2026-07-28', bytes: 9_000 },
  'streams',
  {
    name: (library) => (library === 'ours' ? 'changing' : 'serve'),
    libraries: librariesOf('2026-07-28'),
  },
);

/** Sessions that were opened and are left alone: no connection is open. */
export const heapOfSession: Row = heap(
  { title: 'heap of an idle session', revision: '2025-11-25', bytes: 2_500 },
  'sessions',
  {
    name: () => 'serve',
    libraries: librariesOf('2025-11-25').filter((library: Library) => library !== 'bare'),
  },
);
