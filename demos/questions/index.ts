/**
 * Books a trip with a server that asks on the way: at 2025-11-25 by requests of its own, at 2026-07-28 by answers that say
 * what is needed first. One handler, one transcript; `--help` names the flags.
 *
 *     npm run demo questions
 */
import { story } from '../story/check.ts';
import { paint } from '../story/paint.ts';
import { chapter, good, say } from '../story/tell.ts';
import { ranOnce, same } from './compare.ts';
import { BadFlag, flagsOf, usage, type Era, type Flags } from './flags.ts';
import { showing, sideBySide } from './show.ts';
import { terminal } from './terminal.ts';
import { scripted, seated, type User } from './user.ts';
import { visit, type Visit } from './visit.ts';
import { remembering } from './witness.ts';

const waysOf: Readonly<Record<Era, string>> = {
  '2025-11-25': 'the server sends requests of its own',
  '2026-07-28': 'the call is made again with answers',
};

/** @param bad - what was wrong with the flags that the user has answered by */
const tour = async (
  user: User,
  { revisions }: Flags,
  atTerminal: boolean,
  bad: () => BadFlag | undefined = () => undefined,
): Promise<readonly Visit[]> => {
  const visits: Visit[] = [];
  for (const revision of revisions) {
    chapter(`Book a trip at ${revision}: ${waysOf[revision]}`);
    const again = atTerminal && visits.length > 0;
    if (again) say('The same questions; what you have answered is answered the same.');
    const visited = await visit(revision, user, showing(atTerminal && !again));
    const problem = bad();
    if (problem !== undefined) throw problem;
    ranOnce(visited);
    good(`the handler ran ${visited.ledger.runs} times, and looked up flights once`);
    visits.push(visited);
  }
  return visits;
};

const compare = (visits: readonly Visit[]): void => {
  chapter('On the wire');
  sideBySide(visits, process.stdout.columns || undefined);
  const [one, other] = visits;
  if (one === undefined || other === undefined) return;
  same(one, other);
  good(`same questions, same answers, same result: ${one.transcript.length} events, in both eras`);
};

const run = async (flags: Flags): Promise<void> => {
  if (flags.given || !process.stdin.isTTY || !process.stdout.isTTY) {
    const user = scripted(flags);
    return compare(await tour(user, flags, false, user.bad));
  }
  using at = terminal({ input: process.stdin, output: process.stdout, interrupted: () => process.exit(130) });
  compare(await tour(remembering(seated(at, flags.yes)), flags, true));
};

const refuse = (error: unknown): void => {
  if (!(error instanceof BadFlag)) throw error;
  console.error(`${paint.bad(error.message)}\n--help says what there is`);
  process.exitCode = 2;
};

await story(async () => {
  try {
    const flags = flagsOf(process.argv.slice(2));
    if (flags.help) console.log(usage);
    else await run(flags);
  } catch (error) {
    refuse(error);
  }
});
