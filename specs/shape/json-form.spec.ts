import { expect, it } from 'vitest';
import { jsonForm } from '../../lib/shape/json-form.ts';

it('is the value itself where that is JSON', () => {
  const value = { a: [1, 'x', null, true, { b: {} }] };
  const form = jsonForm(value);
  expect(form.ok && form.value).toBe(value);
});

class Money {
  readonly amount = 5;
  toJSON() {
    return `${this.amount} EUR`;
  }
}

it.each([
  ['a date', { at: new Date(0) }, { at: '1970-01-01T00:00:00.000Z' }],
  ['an absent member', { a: 1, b: undefined }, { a: 1 }],
  ['a number that JSON has not', [NaN, Infinity], [null, null]],
  ['a class with a form of its own', { price: new Money() }, { price: '5 EUR' }],
  ['a plain object with a form of its own', { toJSON: () => 7 }, 7],
  ['a map, which has no members', new Map([[1, 2]]), {}],
])('is what the wire will carry of %s', (_, value, form) => {
  expect(jsonForm(value)).toEqual({ ok: true, value: form });
});

it.each([
  ['a function', () => 1],
  ['undefined', undefined],
  ['a bigint', { a: 1n }],
])('says that %s has none', (_, value) => {
  expect(jsonForm(value)).toMatchObject({ ok: false, problem: expect.stringContaining('no JSON form') });
});

it('survives cycles and depth', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  expect(jsonForm(cycle)).toMatchObject({ ok: false });
  let deep: unknown = 1;
  for (let level = 0; level < 100_000; level++) deep = [deep];
  expect(jsonForm(deep)).toMatchObject({ ok: false });
});
