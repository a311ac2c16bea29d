import { inMemory, open } from 'rxmcp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { flagsOf } from '../../../demos/questions/flags.ts';
import { trips } from '../../../demos/questions/trips.ts';
import { scripted, seated, type User } from '../../../demos/questions/user.ts';
import { remembering, witnessed, type Event } from '../../../demos/questions/witness.ts';
import { seat } from './seat.ts';

const revisions = ['2025-11-25', '2026-07-28'] as const;

/** What a user goes through who books a trip. */
const booked = async (revision: (typeof revisions)[number], user: User) => {
  const events: Event[] = [];
  const answers = { ...witnessed(user, (event) => events.push(event)), roots: [] };
  const client = await open(inMemory(trips()), { revisions: [revision], answers });
  onTestFinished(() => client.close());
  const { structuredContent } = await client.callTool('book', { to: 'Lisbon' });
  return { events, outcome: structuredContent };
};

describe('a user who answers by flags', () => {
  it.each([
    [['name=Ada'], 'day is missing'],
    [['name=Ada', 'day=2026-12-10', 'pin=1'], 'pin: is no field of the form'],
    [['name=Ada', 'day=2026-12-10', '__proto__=1'], '__proto__: is no field of the form'],
    [
      ['name=Ada', 'day=2026-12-10', 'extras=vegan,champagne'],
      'extras[1]: expected one of "vegan", "quiet", "aisle-help"',
    ],
  ])('answers %j with a closed form, and knows what was wrong', async (pairs, why) => {
    for (const revision of revisions) {
      const user = scripted(flagsOf(['--yes', ...pairs.flatMap((pair) => ['--answer', pair])]));
      const { outcome } = await booked(revision, user);
      expect(outcome).toEqual({ status: 'not booked', why: 'the user closed the form without an answer' });
      expect(user.bad()?.message).toContain(`--answer does not fit the form: ${why}`);
    }
  });

  it('can name a choice by its title, and no choice by a number that nobody has shown', async () => {
    const given = (flight: string) =>
      flagsOf(['--yes', ...['name=Ada', 'day=2026-12-10', `flight=${flight}`].flatMap((pair) => ['--answer', pair])]);
    const { outcome } = await booked('2026-07-28', scripted(given('LI2 at 11:15, 155 EUR')));
    expect(outcome).toMatchObject({ status: 'booked', flight: 'LI2 at 11:15, 155 EUR' });
    const user = scripted(given('2'));
    await booked('2026-07-28', user);
    expect(user.bad()?.message).toContain('flight: expected one of "LI1", "LI2", "LI3", got "2"');
  });
});

describe('a user at a terminal', () => {
  it('is asked once, for both eras', async () => {
    const person = seat();
    const user = remembering(seated(person.at, true));
    person.type('Ada', '', '2026-12-10', '', '', '2', 'by the wing', 'y');
    const one = await booked('2025-11-25', user);
    const seen = person.seen();
    const other = await booked('2026-07-28', user);
    expect(person.seen()).toBe(seen);
    expect(one.outcome).toMatchObject({ status: 'booked', reference: 'LI1-0001' });
    expect(one.events.map(([kind, what]) => `${kind} ${String(what)}`)).toEqual(
      ['form', 'model', 'page'].flatMap((kind) => [`asked ${kind}`, `answered ${kind}`]),
    );
    expect(other).toStrictEqual(one);
  });

  it.each(revisions)('at %s, may refuse to have the model asked, which ends the call', async (revision) => {
    const person = seat();
    person.type('Ada', '', '2026-12-10', '', '', '', '', 'y', 'n');
    await expect(booked(revision, seated(person.at, false))).rejects.toThrow(/the user would not have the model asked/);
    expect(person.seen()).toContain('┃ Say in one sentence: Ada flies to Lisbon');
  });
});

describe('the server of the questions demo', () => {
  it.each(revisions)('at %s, asks a client only what it can answer (CAP-12)', async (revision) => {
    const { form, url } = scripted(flagsOf([]));
    for (const [answers, outcome] of [
      [{}, { status: 'not booked', why: 'this client cannot send its user to a page to pay' }],
      [
        { form, url },
        { status: 'booked', reference: 'LI1-0001', flight: 'LI1 at 06:40, 120 EUR' },
      ],
    ] as const) {
      const client = await open(inMemory(trips()), { revisions: [revision], answers });
      onTestFinished(() => client.close());
      const { structuredContent } = await client.callTool('book', { to: 'Lisbon' });
      expect(structuredContent).toEqual(outcome);
    }
  });
});
