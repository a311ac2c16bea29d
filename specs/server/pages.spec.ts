import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { codes, RpcError } from '../../lib/index.ts';
import { pageOf } from '../../lib/server/pages.ts';

const key = (item: string): string => item;

/** All pages, one after the other. */
const walk = (
  items: readonly string[],
  size: number,
  between: (page: number) => readonly string[] = () => items,
): string[][] => {
  const pages: string[][] = [];
  for (let cursor: string | undefined, first = true; first || cursor !== undefined; first = false) {
    const page = pageOf(between(pages.length), key, size, cursor);
    pages.push([...page.items]);
    cursor = page.nextCursor;
    expect(pages.length).toBeLessThan(1000);
  }
  return pages;
};

describe('pages', () => {
  it('hold every item once, in order, whatever their names (PAG-06)', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.string({ unit: 'binary' }), { maxLength: 30 }),
        fc.integer({ min: 1, max: 12 }),
        (items, size) => {
          const pages = walk(items, size);
          expect(pages.flat()).toEqual(items);
          expect(pages.slice(0, -1).every((page) => page.length === size)).toBe(true);
        },
      ),
    );
  });

  it('end without a cursor: an empty list, a full last page (PAG-05)', () => {
    expect(pageOf([], key, 5, undefined)).toEqual({ items: [] });
    expect(pageOf(['a', 'b'], key, 2, undefined)).toEqual({ items: ['a', 'b'] });
  });

  it('neither repeat nor leave out what stays, while others come and go (PAG-06)', () => {
    expect(
      walk(['a', 'b', 'c', 'd'], 2, (page) => (page === 0 ? ['a', 'b', 'c', 'd'] : ['0', 'a', 'b', 'c', 'd'])),
    ).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(walk([], 2, (page) => (page === 0 ? ['a', 'b', 'c', 'd'] : ['b', 'c', 'd']))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(walk([], 2, (page) => (page === 0 ? ['a', 'b', 'c'] : []))).toEqual([['a', 'b'], []]);
  });

  it.each([
    '',
    ' ',
    'x',
    '0',
    '-1',
    btoa(''),
    btoa('1'),
    btoa('-1:a'),
    btoa('1e9:a'),
    btoa('99999999999:a'),
    'ø',
    '%',
    '{"offset":1}',
  ])('begin at no cursor of another making: %j (PAG-07)', (cursor) => {
    expect(() => pageOf(['a', 'b'], key, 1, cursor)).toThrow(RpcError);
    expect(() => pageOf(['a', 'b'], key, 1, cursor)).toThrow(
      expect.objectContaining({ code: codes.invalidParams }) as Error,
    );
  });

  it('take any cursor there may be without harm', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const cursor = btoa(`1:${encodeURIComponent(name)}`);
        expect(pageOf(['a', 'b'], key, 1, cursor).items.length).toBeLessThan(2);
      }),
    );
  });
});
