/** 1 MiB of text as argument and as result: 1.2 of the MB/s of SDK 2.x, by the CPU time of the server. */
import { type Revision, type Row, calls, librariesOf } from '../row.ts';
import { web } from './web.ts';

const line = 'All work and no play makes "Jack" a dull boy.\n';
const said = line.repeat(Math.ceil(2 ** 20 / line.length)).slice(0, 2 ** 20);

export const httpLarge = (revision: Revision): Row => ({
  title: 'HTTP server, 1 MiB argument and result',
  revision,
  wanted: { sdk2: 0.833 },
  plan: { ...calls, first: 10 },
  start: (cores) =>
    web(
      cores,
      revision,
      { file: 'http.mjs', name: () => 'serve', libraries: librariesOf(revision), args: ['json', '0'] },
      { kind: 'http', tool: 'echo', said, lanes: 4 },
    ),
});
