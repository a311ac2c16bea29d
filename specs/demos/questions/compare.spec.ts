import { describe, expect, it } from 'vitest';
import { ranOnce, same } from '../../../demos/questions/compare.ts';
import type { Event } from '../../../demos/questions/witness.ts';
import { Mismatch } from '../../../demos/story/check.ts';

const transcript: readonly Event[] = [
  ['asked', 'form', { message: 'Who?' }],
  ['result', { status: 'booked' }],
];
const ledger = { runs: 2, lookUps: 1, seatsHeld: 1, bookings: 1 };
const visit = { revision: '2026-07-28', transcript, ledger } as const;

describe('what the questions demo promises', () => {
  it('holds where each step ran once, and both eras are the same', () => {
    expect(() => ranOnce(visit)).not.toThrow();
    expect(() => same(visit, { ...visit })).not.toThrow();
  });

  it.each([
    ['looked up twice', { ...visit, ledger: { ...ledger, lookUps: 2 } }],
    ['held two seats', { ...visit, ledger: { ...ledger, seatsHeld: 2 } }],
    ['never ran again', { ...visit, ledger: { ...ledger, runs: 1 } }],
    ['asked nothing', { ...visit, transcript: [] }],
  ])('is broken where the handler %s', (_, broken) => {
    expect(() => ranOnce(broken)).toThrow(Mismatch);
  });

  it.each([
    ['answer', { transcript: [transcript[0] ?? ['failed'], ['result', { status: 'not booked' }]], ledger }],
    ['event', { transcript: transcript.slice(0, 1), ledger }],
    ['number of runs', { transcript, ledger: { ...ledger, runs: 3 } }],
  ] as const)('is broken where one %s differs', (_, other) => {
    expect(() => same(visit, other)).toThrow(Mismatch);
    expect(() => same(other, visit)).toThrow(Mismatch);
  });
});
