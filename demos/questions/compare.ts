/** What this demo promises: the user cannot tell the eras apart, and no step was done twice. */
import { isDeepStrictEqual } from 'node:util';
import { check } from '../story/check.ts';
import type { Visit } from './visit.ts';

/** @throws Mismatch where a step ran again, or nothing was ever run again: then there is nothing to be proud of */
export const ranOnce = ({ revision, ledger, transcript }: Pick<Visit, 'revision' | 'ledger' | 'transcript'>): void => {
  const asked = transcript.filter(([kind]) => kind === 'asked').length;
  check(asked > 0 && ledger.runs > 1, `at ${revision} the handler should ask, and run again for the answers`, ledger);
  check(ledger.lookUps === 1, `at ${revision} flights should be looked up once`, ledger);
  check(ledger.seatsHeld <= 1, `at ${revision} one seat should be held at the most`, ledger);
};

/** @throws Mismatch at the first thing that differs */
export const same = (one: Pick<Visit, 'transcript' | 'ledger'>, other: Pick<Visit, 'transcript' | 'ledger'>): void => {
  for (const index of Array(Math.max(one.transcript.length, other.transcript.length)).keys()) {
    const [first, second] = [one.transcript[index], other.transcript[index]];
    check(isDeepStrictEqual(first, second), `event ${index + 1} should be the same in both eras`, [first, second]);
  }
  check(isDeepStrictEqual(one.ledger, other.ledger), 'the server should have done the same in both eras', [
    one.ledger,
    other.ledger,
  ]);
};
