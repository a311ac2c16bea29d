/** Books a trip in one era, and keeps what the user went through and what went over the wire. */
import { fileURLToPath } from 'node:url';
import { lastValueFrom, tap } from 'rxjs';
import { open, type Revision } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import { check } from '../story/check.ts';
import type { Ledger } from './airline.ts';
import type { Trips } from './trips.ts';
import { news, witnessed, type Event } from './witness.ts';
import type { User } from './user.ts';
import { watched, type Line } from './wire.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const program = fileURLToPath(new URL('server.ts', import.meta.url));

export interface Visit {
  readonly revision: Revision;
  readonly transcript: readonly Event[];
  readonly wire: readonly Line[];
  readonly ledger: Ledger;
}

export interface Showing {
  readonly event: (event: Event) => void;
  readonly line: (line: Line) => void;
}

/** Directories that the user lets servers know of. */
const roots = [{ uri: 'file:///home/ada/trips', name: 'Trips' }];

/** @param user - who answers; asked in whatever way the era has */
export const visit = async (revision: Revision, user: User, show: Showing): Promise<Visit> => {
  const [transcript, wire]: [Event[], Line[]] = [[], []];
  let over = false;
  const happens = (event: Event): void => {
    transcript.push(event);
    show.event(event);
  };
  const server = spawn(process.execPath, ['--import', 'tsx', program], { cwd: project });
  server.stderr$.subscribe((line) => console.error(line));
  const seen = watched(server, (line) => {
    if (over) return;
    wire.push(line);
    show.line(line);
  });
  const client = await open<Trips>(seen, { revisions: [revision], answers: { ...witnessed(user, happens), roots } });
  try {
    const booking = client.call('book', { to: 'Lisbon' }).pipe(tap((event) => news(event, happens)));
    await lastValueFrom(booking).catch((error: unknown) => {
      // A user may refuse to have their model asked, which ends the call; how that is told differs from era to era.
      if (!transcript.some(([, , answer]) => answer === 'refused')) throw error;
      happens(['failed']);
    });
    over = true;
    const { structuredContent: ledger } = await client.callTool('ledger');
    check(ledger !== undefined, 'the server should say what it has done');
    return { revision, transcript, wire, ledger };
  } finally {
    await client.close();
    await server.closed();
  }
};
