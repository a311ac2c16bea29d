/** 10,000 random conversations: whatever is said, cut, cancelled and closed, and whenever, the rules hold and nothing is left. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { revisions } from '../../lib/index.ts';
import { catchAll, conversation, converse } from './conversation.ts';
import { instantCrypto, virtualClock, type Clock } from './virtual.ts';

const runs = Math.ceil(Number(process.env['CONVERSATIONS'] ?? 10_000) / revisions.length);
/** What a failure prints, to see it again: `SEED=… CONVERSATIONS=… npx vitest run specs/simulation`. */
const seed = process.env['SEED'];

describe('a conversation', () => {
  let clock: Clock;
  let stop = (): void => undefined;
  beforeAll(() => {
    clock = virtualClock();
    instantCrypto();
    stop = catchAll();
  });
  afterAll(() => {
    stop();
    clock.restore();
  });

  it.each(revisions)(
    'keeps the rules and leaves nothing, whatever happens in it: %s',
    { timeout: 300_000 },
    (revision) =>
      fc.assert(
        fc.asyncProperty(conversation(revision), (drawn) => converse(drawn, clock)),
        { numRuns: runs, ...(seed === undefined ? undefined : { seed: Number(seed) }) },
      ),
  );
});
