import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Misconfigured } from '../../lib/frame/errors.ts';
import { uriTemplate, type TemplateVariables } from '../../lib/protocol/uri-template.ts';

const match = (template: string, uri: string) => uriTemplate(template).match(uri);

describe('matching', () => {
  it.each<[string, string, Record<string, string | string[]>]>([
    ['note://all', 'note://all', {}],
    ['note://{id}', 'note://7', { id: '7' }],
    ['note://{id}', 'note://a%2Fb%20c', { id: 'a/b c' }],
    ['note://{id}', 'note://%C3%A9%F0%9F%98%80', { id: 'é😀' }],
    ['note://{id}', 'note://é', { id: 'é' }],
    ['café://{id}', 'caf%C3%A9://1', { id: '1' }],
    ['{a}-{b}', '1-2-3', { a: '1', b: '2-3' }],
    ['{name}.{ext}', 'a.tar.gz', { name: 'a', ext: 'tar.gz' }],
    ['{a,b}', '1,2', { a: '1', b: '2' }],
    ['{a}{b}', 'xyz', { a: 'x', b: 'yz' }],
    ['file://{+path}', 'file:///etc/a%20b?c#d', { path: '/etc/a b?c#d' }],
    ['{+dir}/{file}', 'a/b/c', { dir: 'a/b', file: 'c' }],
    ['{+a,b}', '/x,/y', { a: '/x', b: '/y' }],
    ['doc{#part}', 'doc#a/b', { part: 'a/b' }],
    ['{#a,b}', '#1,2', { a: '1', b: '2' }],
    ['X{.a}', 'X.y.z', { a: 'y.z' }],
    ['X{.a,b}', 'X.y.z', { a: 'y', b: 'z' }],
    ['{/a}', '/x', { a: 'x' }],
    ['{/a,b}/here', '/x/y/here', { a: 'x', b: 'y' }],
    ['{;a,b}', ';a=1;b=2', { a: '1', b: '2' }],
    ['{;a,b}', ';b;a=1', { a: '1', b: '' }],
    ['s{?a,b}', 's?a=1&b=2', { a: '1', b: '2' }],
    ['s?f=1{&a,b}', 's?f=1&b=2', { b: '2' }],
    ['{a:3}', 'abc', { a: 'abc' }],
    ['{a:2}', '%C3%A9%C3%A9', { a: 'éé' }],
    ['{a:1}/{a}', 'f/foo', { a: 'foo' }],
    ['{a}/{a}', 'x/x', { a: 'x' }],
    ['{a.b}/{c_1}', 'x/y', { 'a.b': 'x', c_1: 'y' }],
  ])('%s takes %s', (template, uri, variables) => {
    expect(match(template, uri)).toEqual(variables);
  });

  it.each<[string, string, Record<string, string | string[]>]>([
    ['{a*}', '1,2,3', { a: ['1', '2', '3'] }],
    ['{+a*}', '1/2,3', { a: ['1/2', '3'] }],
    ['{/a*}', '/x/y%2Fz', { a: ['x', 'y/z'] }],
    ['{/a*}', '/x', { a: ['x'] }],
    ['{/a*,b}', '/x/y/z', { a: ['x', 'y'], b: 'z' }],
    ['{.a*}', '.x.y', { a: ['x', 'y'] }],
    ['{?a*}', '?a=1&a=2', { a: ['1', '2'] }],
    ['{?a*,b}', '?a=1&b=x&a=2', { a: ['1', '2'], b: 'x' }],
    ['{;a*}', ';a=1;a=2', { a: ['1', '2'] }],
  ])('%s takes the list of %s', (template, uri, variables) => {
    expect(match(template, uri)).toEqual(variables);
  });

  it('takes parameters in any order, absent, empty, and written by hand', () => {
    const { match } = uriTemplate('s{?a,ab,c}');
    expect(match('s?c=3&ab=2&a=1')).toEqual({ a: '1', ab: '2', c: '3' });
    expect(match('s')).toEqual({});
    expect(match('s?a=')).toEqual({ a: '' });
    expect(match('s?a')).toEqual({ a: '' });
    expect(match('s?a=/x:y?z=1')).toEqual({ a: '/x:y?z=1' });
    expect(match('s?a=1%262')).toEqual({ a: '1&2' });
  });

  it.each([
    ['note://{id}', 'note://'],
    ['note://{id}', 'note://a/b'],
    ['note://{id}', 'note://a?b'],
    ['note://{id}', 'note://a b'],
    ['note://{id}', 'note://a\nb'],
    ['note://{id}', 'other://a'],
    ['note://{id}', 'note://a#'],
    ['note://{id}/x', 'note://a/xx'],
    ['file://{+path}', 'file://'],
    ['{a,b}', '1'],
    ['{/a*}', '/x//y'],
    ['{/a*}', ''],
    ['{a*}', '1,,2'],
    ['{a:3}', 'abcd'],
    ['{a:1}/{a}', 'g/foo'],
    ['{a:2}/{a}', 'f/foo'],
    ['{a}/{a}', 'x/y'],
    ['s{?a}', 's?'],
    ['s{?a}', 's?b=1'],
    ['s{?a}', 's?a=1&b=1'],
    ['s{?a}', 's?a=1&a=2'],
    ['s{?a}', 's?a=1#x'],
    ['s{?a}', 's?a=1&'],
    ['', 'x'],
  ])('%s does not take %j', (template, uri) => {
    expect(match(template, uri)).toBeUndefined();
  });

  it.each(['%', '%4', '%zz', '%C3', '%C3x', '%FF', '%80', '%C0%AF', '%ED%A0%80', '%F8%88%80%80%80', '\ud800'])(
    'an escape that is none does not match, and does not throw: %j',
    (text) => {
      for (const template of ['{a}', '{+a}', '{?a}', '{a}{b}', 'x{a*}'])
        for (const uri of [text, `x${text}`, `?a=${text}`, `${text}41`, `%C3%A9${text}`])
          expect(() => match(template, uri)).not.toThrow();
      expect(match('{a}', text)).toBeUndefined();
      expect(match('{+a}', `x${text}`)).toBeUndefined();
    },
  );

  it('gives names of Object.prototype like any other', () => {
    const found = match('{__proto__}/{constructor}', 'x/y');
    expect(Object.entries(found ?? {})).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });
});

describe('hostile URIs (CVE-2026-0621)', () => {
  // The steps of a match depend only on its lengths, so that a time is a fair measure, and the least of several is steady.
  const least = (work: () => unknown): number =>
    Math.min(
      ...Array.from({ length: 7 }, () => {
        const from = performance.now();
        work();
        return performance.now() - from;
      }),
    );

  it.each<[string, (length: number) => string]>([
    ['{/a*}{/b*}{/c*}!', (length) => '/a'.repeat(length / 2)],
    ['{a*}{b*}{c*}!', (length) => 'a,'.repeat(length / 2)],
    ['{a*,b*}!', (length) => ','.repeat(length)],
    ['{+a}{+b}{+c}{+d}{+e}!x', (length) => 'a'.repeat(length)],
    ['{?a*,b*,c*}#', (length) => `?${'a=1&'.repeat(length / 4)}`],
    ['{;a*}{;a*}{;a*}!', (length) => ';a'.repeat(length / 2)],
    ['{a:9999}{b:9999}{c:9999}!', (length) => 'a'.repeat(length)],
    ['{a}{b}{c}!', (length) => '%41'.repeat(length / 3)],
    ['aaaaaaaa{+x}aaaaaaaab', (length) => 'a'.repeat(length)],
  ])('%s takes time in proportion to the length', (template, uri) => {
    const { match } = uriTemplate(template);
    const [short, long] = [uri(12_000), uri(48_000)];
    for (let warm = 0; warm < 5; warm++) match(short);
    expect(match(long)).toBeUndefined();
    // Four times the length: quadratic would be sixteen times the time.
    expect(least(() => match(long))).toBeLessThan(8 * least(() => match(short)) + 2);
  });

  it('beyond 64 KiB do not match', () => {
    const { match } = uriTemplate('{a}');
    expect(match('a'.repeat(65_536))).toBeDefined();
    expect(match('a'.repeat(65_537))).toBeUndefined();
    expect(match('é'.repeat(30_000))).toBeUndefined();
  });
});

describe('expanding', () => {
  it('follows RFC 6570', () => {
    const variables = {
      var: 'value',
      hello: 'Hello World!',
      path: '/foo/bar',
      list: ['red', 'green'],
      empty: '',
      x: 1024,
      no: undefined,
    };
    const expansions = {
      '{hello}': 'Hello%20World%21',
      '{+path}/here': '/foo/bar/here',
      '{#path}': '#/foo/bar',
      'X{.var}': 'X.value',
      '{/list*}': '/red/green',
      '{/list}': '/red,green',
      '{;x,empty}': ';x=1024;empty',
      '{?x,empty,no}': '?x=1024&empty=',
      '{?list*}': '?list=red&list=green',
      '{&x}': '&x=1024',
      '{var:3}': 'val',
      'é{no}': '%C3%A9',
    };
    for (const [template, uri] of Object.entries(expansions)) expect(uriTemplate(template).expand(variables)).toBe(uri);
  });

  it('knows only what it was given', () => {
    expect(uriTemplate('x{?constructor,__proto__,toString}').expand({})).toBe('x');
  });

  it('fails where it cannot encode, and says so', () => {
    expect(() => uriTemplate('note://{id}').expand({ id: '\ud800' })).toThrow(Misconfigured);
  });
});

describe('expanding, then matching', () => {
  const given = (template: string, variables: TemplateVariables) => {
    const { expand, match } = uriTemplate(template);
    return match(expand(variables));
  };
  const text = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme' });
  const empty = fc.string({ maxLength: 8, unit: 'grapheme' });
  // A reserved expansion leaves escapes and reserved characters as they are: they do not come back as they went.
  const path = fc.stringMatching(/^[a-z0-9/é :@]{1,10}$/);
  const list = fc.array(
    text.filter((value) => !value.includes('.')),
    { minLength: 1, maxLength: 4 },
  );

  it('gives simple values back', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(given('x://{a}/{b}', { a, b })).toEqual({ a, b });
        expect(given('x://{a,b}', { a, b })).toEqual({ a, b });
        expect(given('x:/{/a,b}', { a, b })).toEqual({ a, b });
      }),
    );
  });

  it('gives paths back', () => {
    fc.assert(
      fc.property(path, text, (a, b) => {
        expect(given('x://{+a}?{b}', { a, b })).toEqual({ a, b });
        expect(given('{b}{#a}', { a, b })).toEqual({ a, b });
      }),
    );
  });

  it('gives parameters back, empty or absent', () => {
    fc.assert(
      fc.property(empty, fc.option(empty), (a, b) => {
        const variables = b === null ? { a } : { a, b };
        for (const template of ['x{?a,b}', 'x{;a,b}', 'x?{&a,b}']) expect(given(template, { a, b })).toEqual(variables);
      }),
    );
  });

  it('gives lists back', () => {
    fc.assert(
      fc.property(list, (a) => {
        for (const template of ['{a*}', '{/a*}', '{.a*}', '{?a*}', '{;a*}', 'x{&a*}/y'])
          expect(given(template, { a })).toEqual({ a });
      }),
    );
  });

  it('and whatever matches expands to something that matches the same', () => {
    const uri = fc.stringMatching(/^[ab/?&=,.;#%412]{0,24}$/);
    const templates = ['{a}', '{+a}', '{/a*}', '{a}/{b}', '{+a}{?b}', '{;a,b}', '{.a,b}', '{a*}'].map(uriTemplate);
    fc.assert(
      fc.property(uri, fc.constantFrom(...templates), (text, { match, expand }) => {
        const found = match(text);
        // A reserved expansion would take an escape in the value for one in the URI.
        if (found !== undefined && !JSON.stringify(found).includes('%')) expect(match(expand(found))).toEqual(found);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a template', () => {
  it('names its variables in order, each once', () => {
    expect(uriTemplate('{b}/{a,b*}{?c:3}').variables).toEqual(['b', 'a', 'c']);
    expect(uriTemplate('plain').variables).toEqual([]);
  });

  it.each([
    '{',
    '}',
    '{}',
    '{a',
    'a}b',
    '{{a}}',
    '{a b}',
    '{!a}',
    '{=a}',
    '{|a}',
    '{a:0}',
    '{a:12345}',
    '{a:}',
    '{a**}',
    '{a:3*}',
    '{,}',
    '{a,}',
    '{a..b}',
    '{-a}',
    '{+}',
    'a b',
    'a%zz',
    'a<b',
    'a\nb',
    '\ud800',
    '{a}'.repeat(600),
    'a'.repeat(3000),
    '{?a}'.repeat(200),
  ])('that is malformed is refused, and named: %j', (template) => {
    expect(() => uriTemplate(template)).toThrow(Misconfigured);
    expect(() => uriTemplate(template)).toThrow(JSON.stringify(template.slice(0, 200)));
  });
});
