import { describe, expect, it } from 'vitest';
import { agreeToVisit } from '../../../demos/questions/terminal-page.ts';
import { seat } from './seat.ts';

const asker = { server: undefined, signal: new AbortController().signal };
const questionFor = (url: string) => ({ message: 'Please pay', url, host: new URL(url).host });

describe('consent to visit a page, at a terminal', () => {
  it.each([
    [['y'], 'accept'],
    [['what?', 'YES'], 'accept'],
    [['n'], 'decline'],
    // Enter is no consent (ELI-34).
    [[''], 'decline'],
    [['!decline'], 'decline'],
    [['!cancel'], 'cancel'],
  ])('says %j: %s', async (lines, action) => {
    const person = seat();
    person.type(...lines);
    expect(await agreeToVisit(person.at, questionFor('https://pay.example.com/x'), asker)).toEqual({ action });
  });

  it.each([
    ['https://pаypal.example/x', 'xn--pypal-4ve.example is written in letters of other alphabets'],
    ['https://xn--pypal-4ve.example/x', 'xn--pypal-4ve.example is written in letters of other alphabets'],
    ['http://pay.example.com/x', 'it is http, not https'],
    ['https://bank.example@evil.example/x', 'no part of where it leads, which is evil.example'],
  ])('shows %s whole, where it leads, and warns of it (ELI-35, ELI-36)', async (url, warning) => {
    const person = seat();
    person.type('n');
    await agreeToVisit(person.at, questionFor(url), asker);
    const seen = person.seen();
    expect(seen).toContain('A server that gives no name asks:');
    expect(seen).toContain(`on the host ${new URL(url).host}, at\n   ${url}\n`);
    expect(seen).toMatch(/ {3}! /);
    expect(seen).toContain(warning);
  });

  it('warns of nothing where there is nothing, and asks nothing of whoever has agreed already', async () => {
    const person = seat();
    const question = questionFor('https://pay.example.com/x');
    expect(await agreeToVisit(person.at, question, asker, true)).toEqual({ action: 'accept' });
    expect(person.seen()).toContain(question.url);
    expect(person.seen()).not.toMatch(/ {3}! /);
  });
});
