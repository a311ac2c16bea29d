import { describe, expect, it } from 'vitest';
import { run } from '../demo.ts';

const questions = (...args: readonly string[]) => run('demos/questions/index.ts', ...args);
const filledIn = ['--answer', 'name=Ada', '--answer', 'day=2026-12-10'];

describe('demos/questions', () => {
  it('books the same trip in both eras, and leaves nothing behind', async () => {
    const { code, stdout, stderr, files } = await run('demos/index.ts', 'questions');
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    expect(stdout.match(/✓ \{"status":"booked","reference":"LI1-0001".*\}/g)).toHaveLength(2);
    expect(stdout.match(/the handler ran 4 times, and looked up flights once/g)).toHaveLength(2);
    const [legacy = '', modern = ''] = stdout.split(/^\d\. /m).slice(1);
    for (const line of ['← elicitation/create (form)', '← sampling/createMessage', '← elicitation/create (url)']) {
      expect(legacy).toContain(line);
      expect(modern).not.toContain(line);
    }
    for (const line of [
      '← input_required, trip: elicitation/create (form)',
      '← input_required, summary: sampling/createMessage, roots: roots/list',
      '→ tools/call book again: payment, state (',
    ]) {
      expect(modern).toContain(line);
      expect(legacy).not.toContain(line);
    }
    expect(stdout).toContain('same questions, same answers, same result: 12 events, in both eras');
    // Colour is for terminals.
    expect(stdout).not.toContain('\x1b');
  });

  it('takes the answers of flags', async () => {
    const { code, stdout, stderr } = await questions(
      ...['--era', 'modern', ...filledIn, '--answer', 'flight=LI3', '--answer', 'bags=0', '--answer', 'window=no'],
      ...['--answer', 'extras=quiet', '--answer', 'extras=vegan', '--yes'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(
      '{"name":"Ada","day":"2026-12-10","flight":"LI3","bags":0,"window":false,"extras":["quiet","vegan"]}',
    );
    expect(stdout).toContain('"flight":"LI3 at 19:05, 190 EUR"');
    expect(stdout).not.toContain('initialize');
  });

  it.each([
    [['--decline'], 'the user declined the form'],
    [['--cancel'], 'the user closed the form without an answer'],
    // Consent is given by a person, or by a flag that says so (ELI-34).
    [filledIn, 'the user declined the payment'],
  ])('books nothing with %j, in both eras', async (flags, why) => {
    const { code, stdout, stderr } = await questions(...flags);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.match(new RegExp(`"status":"not booked","why":"${why}"`, 'g'))).toHaveLength(2);
    expect(stdout).toContain('in both eras');
  });

  it.each([
    ['legacy', ['name=A', 'day=2026-12-10'], 'name: expected at least 2 characters, got "A"'],
    ['modern', ['name=Ada', 'day=2026-12-10', 'bags=many'], 'bags: expected an integer, got "many"'],
  ])('at %s, ends with exit code 2 for the answers %j (ELI-26)', async (era, answers, why) => {
    const { code, stdout, stderr } = await questions(
      ...['--yes', '--era', era, ...answers.flatMap((pair) => ['--answer', pair])],
    );
    expect(code).toBe(2);
    expect(stderr).toContain(`--answer does not fit the form: ${why}\n`);
    // What does not fit was never sent.
    expect(stdout).not.toContain('"status":"booked"');
    expect(stdout).not.toContain('accept');
  });

  it('ends with exit code 2 for a flag that it does not know, and explains itself with --help', async () => {
    expect(await questions('--nope')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining("'--nope'"),
    });
    const help = await questions('--help');
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const flag of ['--era', '--answer', '--decline', '--cancel', '--yes'])
      expect(help.stdout).toContain(`  ${flag} `);
  });
});
