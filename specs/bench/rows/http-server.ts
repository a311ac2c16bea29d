/** The server's process over HTTP, 64 connections with a call on each, each with a session where the revision has them. */
import { type Library, type Revision, type Row, type Wanted, httpCalls, librariesOf } from '../row.ts';
import { web } from './web.ts';

interface Kind {
  readonly title: string;
  readonly style: 'json' | 'sse';
  /** Tools registered besides the one that is called. */
  readonly more: number;
}

const wanted = (revision: Revision): Wanted =>
  revision === '2026-07-28' ? { sdk2: 0.05, bare: 1.4 } : { sdk2: 0.09, bare: 1.5 };

/** Sessions are the fastest way of SDK 2.x; its endpoint for both eras takes part as well. */
const taking = (revision: Revision): readonly Library[] =>
  revision === '2026-07-28' ? librariesOf(revision) : [...librariesOf(revision), 'entry'];

const row = (revision: Revision, { title, style, more }: Kind): Row => ({
  title,
  revision,
  wanted: wanted(revision),
  plan: httpCalls,
  start: (cores) =>
    web(
      cores,
      revision,
      {
        file: 'http.mjs',
        name: (library) => (library === 'entry' ? 'entry' : 'serve'),
        libraries: taking(revision),
        args: [style, String(more)],
      },
      { kind: 'http', tool: style === 'sse' ? 'progress' : 'echo', lanes: 64 },
    ),
});

export const httpJson = (revision: Revision): Row =>
  row(revision, { title: 'HTTP server, JSON', style: 'json', more: 0 });

export const httpManyTools = (revision: Revision): Row =>
  row(revision, { title: 'HTTP server, JSON, 50 more tools', style: 'json', more: 50 });

/** One notice of progress before the result makes it a stream. */
export const httpStream = (revision: Revision): Row =>
  row(revision, { title: 'HTTP server, SSE', style: 'sse', more: 0 });
