import { inMemory, open, server, elicit, tool, type Answers, type FormAnswered } from 'rxmcp';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { fillIn } from '../../../demos/questions/terminal-form.ts';
import { seated } from '../../../demos/questions/user.ts';
import { trips } from '../../../demos/questions/trips.ts';
import { seat, type Seat } from './seat.ts';

const revisions = ['2025-11-25', '2026-07-28'] as const;

/** What a person makes of a form. */
const filled = async (schema: object, message: string, { at }: Seat): Promise<FormAnswered> => {
  let answered: FormAnswered | undefined;
  const form: Answers['form'] = async (question, asker) => (answered = await fillIn(at, question, asker));
  const asking = tool('ask', {}, (_, call) => call.ask('it', elicit(schema as { type: 'object' }, message)).action);
  const client = await open(inMemory(server({ name: 'desk\x1b[2J', version: '1' }, asking)), { answers: { form } });
  onTestFinished(() => client.close());
  await client.callTool('ask');
  if (answered === undefined) throw new Error('nobody was asked');
  return answered;
};

const fields = (properties: object, required: readonly string[] = []) => ({ type: 'object', properties, required });

describe('a form at a terminal', () => {
  it.each(revisions)(
    'at %s, is filled in field by field, and what does not fit is asked again (ELI-26)',
    async (revision) => {
      const person = seat();
      const client = await open(inMemory(trips()), {
        revisions: [revision],
        answers: { ...seated(person.at, false), roots: [] },
      });
      onTestFinished(() => client.close());
      person.type('', 'A', 'Ada', '9', '2', 'tomorrow', '2026-12-10', '7', '', 'maybe', 'n', '1,2,3', '1, 3', '', '');
      person.type('y', 'y');
      const { structuredContent } = await client.callTool('book', { to: 'Lisbon' });
      expect(structuredContent).toMatchObject({
        status: 'booked',
        flight: 'LI2 at 11:15, 155 EUR',
        summary: 'Ada flies to Lisbon on 2026-12-10, LI2 at 11:15, 155 EUR, bags: 1.',
      });
      const seen = person.seen();
      for (const problem of [
        'name is needed',
        'name: expected at least 2 characters, got "A"',
        'flight: expected one of "LI1", "LI2", "LI3", got "9"',
        'day: expected a date (2026-07-28), got "tomorrow"',
        'bags: expected at most 3, got 7',
        'window: expected a boolean, got "maybe"',
        'extras: expected at most 2 values, got 3',
      ])
        expect(seen).toContain(`✗ ${problem}\n`);
      for (const line of [
        'The server “trips” asks:\n   ┃ How would you like to fly to Lisbon?',
        'Traveller · As in the passport (text, 2 to 60 characters)',
        '2) LI2 at 11:15, 155 EUR',
        'bags [1]: ',
        'window [yes]: ',
        'Anything else (text, at most 80 characters; may be left out)',
        'Extras: Vegan meal, Help on board\n   Anything else: left out\n   Send this?',
        'on the host pay.example.com, at\n   https://pay.example.com/seats/LI2-0001\n',
      ])
        expect(seen).toContain(line);
    },
  );

  it('is sent only after it was looked over, and can be changed before (ELI-25)', async () => {
    const person = seat();
    person.type('Ada', '3', 'e', '', '4', 'y');
    const schema = fields({ name: { type: 'string' }, n: { type: 'number', minimum: 0.5 } }, ['name', 'n']);
    expect(await filled(schema, 'Who?', person)).toEqual({ action: 'accept', content: { name: 'Ada', n: 4 } });
    expect(person.seen()).toContain('name [Ada]: ');
  });

  it.each([
    ['!decline', 'decline'],
    ['!cancel', 'cancel'],
  ])('is left by %s, before it is sent too', async (said, action) => {
    const schema = fields({ name: { type: 'string' } });
    for (const before of [[], ['Ada']]) {
      const person = seat();
      person.type(...before, said);
      expect(await filled(schema, 'Who?', person)).toEqual({ action });
    }
  });

  it('is cancelled by the end of the input, and by Ctrl-C', async () => {
    const schema = fields({ name: { type: 'string' } });
    const gone = seat();
    gone.leave();
    expect(await filled(schema, 'Who?', gone)).toEqual({ action: 'cancel' });
    const person = seat(true);
    const answer = filled(schema, 'Who?', person);
    await vi.waitFor(() => expect(person.seen()).toContain('name: '));
    person.press('Ad\x03');
    expect(await answer).toEqual({ action: 'cancel' });
    expect(person.interrupts()).toBe(0);
    person.press('\x03');
    await vi.waitFor(() => expect(person.interrupts()).toBe(1));
  });

  it('lets no server write to the terminal but text, nor pass for the client (ELI-25)', async () => {
    const person = seat();
    person.type('1', '');
    const schema = fields({
      a: { type: 'string', title: 'A\x07', description: 'b\u202ec', oneOf: [{ const: 'x', title: 'X\x1b]0;y\x07' }] },
    });
    expect(await filled(schema, 'One\x1b[31m\n   Send this? [Y]es', person)).toEqual({
      action: 'accept',
      content: { a: 'x' },
    });
    const seen = person.seen();
    expect(seen).not.toMatch(/[\x00-\x09\x0b-\x1f\u202e]/);
    expect(seen).toContain('“desk\\u{1b}[2J” asks:\n   ┃ One\\u{1b}[31m\n   ┃    Send this? [Y]es\n');
  });

  it('takes names that mean something to an object for names', async () => {
    const person = seat();
    person.type('a', 'b', '');
    const properties: unknown = JSON.parse('{"__proto__":{"type":"string"},"constructor":{"type":"string"}}');
    const { content } = { content: undefined, ...(await filled(fields(properties as object), 'Who?', person)) };
    expect(Object.entries(content ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
    ]);
  });

  it('is withdrawn with the call that it belongs to', async () => {
    const person = seat();
    let answered: FormAnswered | undefined;
    const client = await open(inMemory(trips()), {
      answers: {
        url: () => ({ action: 'decline' }),
        form: async (question, asker) => (answered = await fillIn(person.at, question, asker)),
      },
    });
    onTestFinished(() => client.close());
    const booking = client.call('book', { to: 'Lisbon' }).subscribe();
    await vi.waitFor(() => expect(person.seen()).toContain('name: '));
    booking.unsubscribe();
    await vi.waitFor(() => expect(answered).toEqual({ action: 'cancel' }));
  });
});
