import { delay, succeed } from 'effect/Effect';
import { value } from 'effect/Redacted';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Misconfigured, Schema } from 'rxmcp';
import { settings, type SettingsOptions, type StartedWith } from 'rxmcp/node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const port = Schema.Int.pipe(Schema.between(1, 65_535));
const secret = Schema.Redacted(Schema.String.pipe(Schema.minLength(8)));

let folder: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'rxmcp-settings-'));
  file = join(folder, 'weather.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const holds = (content: unknown): void => writeFileSync(file, JSON.stringify(content));
const given = (...args: readonly string[]): StartedWith => ({ args, environment: {} });
const env = (environment: Readonly<Record<string, string>>): StartedWith => ({ args: [], environment });

/** The message of what is refused, without the line that begins each. */
const refusal = (run: () => unknown): readonly string[] => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(Misconfigured);
    expect(error).not.toHaveProperty('cause', expect.anything());
    const [head, ...lines] = error instanceof Error ? error.message.split('\n') : [];
    expect(head).toBe('wrong settings:');
    return lines.map((line) => line.trim());
  }
  throw new Error('nothing was refused');
};

/** Reads one setting. */
const one = (schema: Schema.Struct.Fields[string], started: StartedWith, options: SettingsOptions = {}): unknown =>
  (settings({ x: schema as Schema.Schema<unknown> }, { prefix: 'P', file, ...options }).read(started) as { x: unknown })
    .x;

describe('where settings come from', () => {
  const declared = () => settings({ maxDays: Schema.Number, place: Schema.String }, { prefix: 'WEATHER', file });

  it('is a flag before the environment, and that before the file, for each setting', () => {
    holds({ maxDays: 1, place: 'file' });
    const environment = { WEATHER_MAX_DAYS: '2', WEATHER_PLACE: 'environment' };
    const read = (...args: readonly string[]) => ({ ...declared().read({ args, environment }) });
    expect(read('--max-days', '3', '--place=flag')).toEqual({ maxDays: 3, place: 'flag' });
    expect(read('--place', 'flag')).toEqual({ maxDays: 2, place: 'flag' });
    expect(read()).toEqual({ maxDays: 2, place: 'environment' });
    expect(declared().read(env({ WEATHER_PLACE: 'environment' }))).toEqual({ maxDays: 1, place: 'environment' });
    expect(declared().read(given())).toEqual({ maxDays: 1, place: 'file' });
  });

  it('is the process unless said otherwise', () => {
    vi.stubEnv('WEATHER_MAX_DAYS', '5');
    const argv = process.argv;
    process.argv = ['node', 'weather.js', '--place', 'Oslo'];
    try {
      expect(declared().read()).toEqual({ maxDays: 5, place: 'Oslo' });
    } finally {
      process.argv = argv;
      vi.unstubAllEnvs();
    }
  });

  it('is no variable where there is no prefix, nor an empty one', () => {
    const at = (prefix?: string) => one(Schema.optional(Schema.String), env({ X: 'bare', P_X: '' }), { prefix });
    expect(at()).toBeUndefined();
    expect(at('P')).toBeUndefined();
    expect(at('')).toBeUndefined();
  });

  it('is the file that --config names, in place of the one by default', () => {
    holds({ x: 'default' });
    const other = join(folder, 'other.json');
    writeFileSync(other, '\uFEFF{ "$schema": "./schema.json", "x": "named" }');
    expect(one(Schema.String, given('--config', other))).toBe('named');
    expect(one(Schema.String, given())).toBe('default');
    expect(one(Schema.String, given(`--config=${other}`), { file: undefined })).toBe('named');
  });

  it('is the schema where none says anything', () => {
    const fields = { x: Schema.optionalWith(Schema.Number, { default: () => 7 }), y: Schema.optional(Schema.String) };
    expect(settings(fields, { file }).read(given())).toEqual({ x: 7 });
  });

  it('infers the types of settings', () => {
    const fields = { port, name: Schema.optional(Schema.String), list: Schema.Array(Schema.String) };
    const read = settings(fields).read(given('--port', '1', '--list', 'a'));
    const typed: { readonly port: number; readonly name?: string | undefined; readonly list: readonly string[] } = read;
    expect(typed).toEqual({ port: 1, list: ['a'] });
    // @ts-expect-error -- a number is no string
    const wrong: string = read.port;
    expect(wrong).toBe(1);
    expect(Object.isFrozen(read)).toBe(true);
    const needing: Schema.Schema<string, string, 'a service'> = Schema.make(Schema.String.ast);
    // @ts-expect-error -- nobody would provide the service
    settings({ needing });
  });
});

describe('what is written as text or as JSON', () => {
  type Nest = string | readonly Nest[];
  const Nest: Schema.Schema<Nest> = Schema.Union(Schema.String, Schema.Array(Schema.suspend(() => Nest)));
  const Fallback = Schema.Union(Schema.Number, Schema.Literal('auto'));
  it.each<[string, Schema.Struct.Fields[string], string, unknown, unknown]>([
    ['a number', Schema.Number, '-1.5', -1.5, -1.5],
    ['a number out of text', Schema.NumberFromString, '5', 5, 5],
    ['a number out of text, in text', Schema.NumberFromString, '5', '5', 5],
    ['text that looks like a number', Schema.String, '007', '007', '007'],
    ['a boolean', Schema.Boolean, 'false', false, false],
    ['a boolean in another word', Schema.Boolean, 'YES', true, true],
    ['a literal', Schema.Literal('c', 'f'), 'f', 'f', 'f'],
    ['a literal number', Schema.Literal(1, 2), '2', 2, 2],
    ['a choice of types', Fallback, 'auto', 'auto', 'auto'],
    ['a choice of types, the other', Fallback, '3', 3, 3],
    ['a list', Schema.Array(Schema.String), 'a, b', ['a', 'b'], ['a', 'b']],
    ['a list of numbers', Schema.Array(Schema.Number), '1,2', [1, 2], [1, 2]],
    ['a list as JSON', Schema.Array(Schema.String), '["a,b"]', ['a,b'], ['a,b']],
    ['a list of numbers out of text', Schema.Array(Schema.NumberFromString), '1,2', [1, '2'], [1, 2]],
    ['an empty list', Schema.Array(Schema.String), ',', [], []],
    ['an object', Schema.Struct({ a: Schema.Number }), '{"a":1}', { a: 1 }, { a: 1 }],
    ['a recursive list', Schema.Array(Nest), '["a",["b"]]', ['a', ['b']], ['a', ['b']]],
    ['a recursive list of one', Schema.Array(Schema.suspend(() => Nest)), 'a', ['a'], ['a']],
    ['an optional number', Schema.optional(Schema.Number), '5', 5, 5],
    ['a number with a default', Schema.optionalWith(Schema.Number, { default: () => 1 }), '5', 5, 5],
    ['a nullable number', Schema.NullOr(Schema.Number), 'null', null, null],
    ['a date', Schema.Date, '1970-01-01', '1970-01-01', new Date(0)],
    ['a renamed setting', Schema.propertySignature(Schema.Number).pipe(Schema.fromKey('y')), '5', 5, 5],
  ])('becomes %s', (_, schema, text, json, expected) => {
    expect(one(schema, given(`--x=${text}`))).toEqual(expected);
    expect(one(schema, env({ P_X: text }))).toEqual(expected);
    holds({ x: json });
    expect(one(schema, given())).toEqual(expected);
  });

  it('is a list of all repeated flags, otherwise the last of them', () => {
    const args = given('--x', 'a', '--x', 'b,c');
    expect(one(Schema.Array(Schema.String), args)).toEqual(['a', 'b', 'c']);
    expect(one(Schema.String, args)).toBe('b,c');
  });

  it.each<[readonly string[], boolean]>([
    [['--x'], true],
    [['--no-x'], false],
    [['--x=false'], false],
    [['--x=on'], true],
    [['--x', '--no-x'], false],
    [['--no-x', '--x'], true],
  ])('is true or false by %j', (args, expected) => {
    expect(one(Schema.Boolean, given(...args))).toBe(expected);
    expect(one(Schema.optionalWith(Schema.Boolean, { default: () => !expected }), given(...args))).toBe(expected);
  });

  it('may begin with one dash, as numbers do', () => {
    expect(one(Schema.Number, given('--x', '-5'))).toBe(-5);
  });
});

describe('what is wrong', () => {
  const declared = (fields: Readonly<Record<string, Schema.Schema.AnyNoContext>> = { port }) =>
    settings(fields, { prefix: 'WEATHER', file });

  it('is told by name, source and rule', () => {
    const rule = 'port: expected a number between 1 and 65535, got';
    expect(refusal(() => declared().read(given('--port', '99999')))).toEqual([`${rule} 99999 (flag --port)`]);
    expect(refusal(() => declared().read(env({ WEATHER_PORT: '0' })))).toEqual([
      `${rule} 0 (environment WEATHER_PORT)`,
    ]);
    holds({ port: 70_000 });
    expect(refusal(() => declared().read(given()))).toEqual([`${rule} 70000 (file ${file})`]);
    holds({ port: '80' });
    expect(refusal(() => declared().read(given()))).toEqual([`port: expected a number, got "80" (file ${file})`]);
    holds({});
    expect(refusal(() => declared({ deg: Schema.Literal('c', 'f') }).read(given('--deg=k')))).toEqual([
      'deg: expected "c" or "f", got "k" (flag --deg)',
    ]);
  });

  it.each(['', ' ', 'x', 'Infinity', 'NaN', '1,5'])('is %j where a number is wanted', (text) => {
    expect(refusal(() => one(Schema.Number, given(`--x=${text}`)))).toEqual([
      `x: expected a number, got ${JSON.stringify(text)} (flag --x)`,
    ]);
  });

  it('is told by its rule where a description has taken the place of it', () => {
    const described = port.annotations({ description: 'Where to listen' });
    expect(refusal(() => one(described, given('--x=0')))).toEqual([
      'x: expected an integer, got 0; the rule: an integer, maximum 65535, minimum 1 (flag --x)',
    ]);
    expect(settings({ x: described }).usage()).toContain(
      '--x <an integer, maximum 65535, minimum 1>\n      Where to listen.',
    );
  });

  it.each(['{', 'excerpt', '[]', '{"__proto__":{"excerpt":"e"}}'])('is %s where an object is wanted', (text) => {
    const Any = Schema.Record({ key: Schema.String, value: Schema.Unknown });
    expect(refusal(() => one(Any, given('--x', text)))).toEqual([
      `x: expected an object, got ${JSON.stringify(text)} (flag --x)`,
    ]);
  });

  it('is a missing setting, with the places where it can be given', () => {
    expect(refusal(() => declared().read(given()))).toEqual([
      `port is missing: give flag --port or environment WEATHER_PORT or "port" in file ${file}`,
    ]);
    expect(refusal(() => settings({ port }).read(given()))).toEqual([
      'port is missing: give flag --port or a file by flag --config',
    ]);
  });

  it('is told at once, all of it', () => {
    holds({ days: 'many', colour: 'red' });
    const fields = { port, days: Schema.Number, city: Schema.String, cache: Schema.Boolean };
    const environment = { WEATHER_CACHE: 'perhaps' };
    expect(refusal(() => declared(fields).read({ args: ['--port=x', '--prot', '1'], environment }))).toEqual([
      'unknown flag "--prot": known are --port, --days, --city, --cache, --no-cache, --config',
      `unknown setting "colour" (file ${file}): known are port, days, city, cache`,
      'port: expected a number, got "x" (flag --port)',
      `days: expected a number, got "many" (file ${file})`,
      `city is missing: give flag --city or environment WEATHER_CITY or "city" in file ${file}`,
      'cache: expected a boolean, got "perhaps" (environment WEATHER_CACHE)',
    ]);
  });

  it.each<[string, readonly string[], string]>([
    ['a flag that is not declared', ['--prot', '1'], 'unknown flag "--prot": known are --x, --b, --no-b, --config'],
    ['a short flag', ['-x', '1'], 'unknown flag "-x": known are --x, --b, --no-b, --config'],
    ['no- before what is no switch', ['--no-x'], 'unknown flag "--no-x": known are --x, --b, --no-b, --config'],
    ['__proto__ as a flag', ['--__proto__=1'], 'unknown flag "--__proto__": known are --x, --b, --no-b, --config'],
    ['constructor as a flag', ['--constructor'], 'unknown flag "--constructor": known are --x, --b, --no-b, --config'],
    ['a flag without its value', ['--x'], 'x: needs a value (flag --x)'],
    ['a flag for a value', ['--x', '--b'], 'x: needs a value (flag --x)'],
    ['a value for --no-…', ['--no-b=1'], 'b: takes no value (flag --no-b)'],
    ['no file for --config', ['--config'], 'config: needs a value (flag --config)'],
    ['an argument of its own', ['1234'], 'an argument belongs to no flag: settings are given as --name value'],
  ])('is %s', (_, args, expected) => {
    const fields = { x: Schema.optional(Schema.String), b: Schema.optional(Schema.Boolean) };
    expect(refusal(() => settings(fields).read(given(...args)))).toEqual([expected]);
  });

  it('is what cannot be decoded at once', () => {
    const Late = Schema.transformOrFail(Schema.String, Schema.String, {
      decode: (text) => delay(succeed(text), '1 millis'),
      encode: (text) => succeed(text),
    });
    expect(refusal(() => settings({ x: Late }).read(given('--x=y')))).toEqual([
      expect.stringMatching(/^x: cannot be .+ \(flag --x\)$/),
    ]);
  });

  it('does not call a setting missing whose flag is wrong', () => {
    expect(refusal(() => settings({ x: Schema.String }).read(given('--x')))).toEqual(['x: needs a value (flag --x)']);
  });

  it.each<[string, string, string]>([
    ['no JSON', 'hunter2', 'not JSON: it is malformed'],
    ['empty', '', 'not JSON: it ends too early'],
    ['an array', '[]', 'must hold a JSON object, holds an array'],
    ['null', 'null', 'must hold a JSON object, holds null'],
    ['text', '"hunter2"', 'must hold a JSON object, holds a string'],
    ['out to change prototypes', '{ "port": { "__proto__": {} } }', 'a key must not be "__proto__"'],
  ])('is a file that is %s, and nothing in it is called missing', (_, text, why) => {
    writeFileSync(file, text);
    expect(refusal(() => declared().read(given()))).toEqual([`file ${file}: ${why}`]);
  });

  it('is a file that cannot be read, and one that was named and is not there', () => {
    const nowhere = join(folder, 'nowhere.json');
    expect(refusal(() => declared().read(given('--config', folder)))).toEqual([
      `file ${folder}: cannot be read (EISDIR)`,
    ]);
    expect(refusal(() => declared().read(given('--config', nowhere)))).toEqual([`file ${nowhere}: does not exist`]);
  });

  it('is a member of the file that only prototypes have', () => {
    writeFileSync(file, '{ "constructor": { "prototype": { "polluted": true } }, "toString": 1, "port": 1 }');
    expect(refusal(() => declared().read(given()))).toEqual([
      `unknown setting "constructor" (file ${file}): known are port`,
      `unknown setting "toString" (file ${file}): known are port`,
    ]);
    writeFileSync(file, '{ "__proto__": { "port": 1 } }');
    expect(refusal(() => declared().read(given()))).toEqual([`file ${file}: a key must not be "__proto__"`]);
    expect({}).not.toHaveProperty('polluted');
  });

  it.each<[string, Record<string, Schema.Struct.Fields[string]>, string]>([
    ['is not camelCase', { 'max-days': port }, 'a name is written in camelCase, of letters and digits'],
    ['every object has', { toString: port }, 'every object has something of that name'],
    ['is a prototype', { ['__proto__']: port }, 'a name is written in camelCase, of letters and digits'],
    ['is the flag of the file', { config: port }, 'two settings would have the flag --config'],
    ['is another in other letters', { maxHTTP: port, maxHttp: port }, 'two settings would have the flag --max-http'],
    ['turns another off', { noCache: port, cache: Schema.Boolean }, 'two settings would have the flag --no-cache'],
  ])('is a name that %s', (_, fields, why) => {
    expect(() => settings(fields as { x: Schema.Schema<number> })).toThrow(why);
    expect(() => settings(fields as { x: Schema.Schema<number> })).toThrow(Misconfigured);
  });
});

describe('secrets', () => {
  const declared = () =>
    settings(
      { token: secret, db: Schema.optional(Schema.Struct({ password: secret })), days: Schema.Number },
      {
        prefix: 'P',
        file,
      },
    );

  it('are at hand for whoever asks, and shown to nobody', () => {
    holds({ db: { password: 'hunter2-file' } });
    const read = declared().read({ args: ['--days=3'], environment: { P_TOKEN: 'hunter2-environment' } });
    expect(value(read.token)).toBe('hunter2-environment');
    expect(JSON.parse(JSON.stringify(read))).toEqual({ token: '<redacted>', db: { password: '<redacted>' }, days: 3 });
    expect(inspect(read)).toBe('{ token: <redacted>, db: { password: <redacted> }, days: 3 }');
    expect(inspect(read, { showHidden: true })).not.toContain('hunter2');
    expect(String(read)).toBe(
      [
        'token = <redacted> (environment P_TOKEN)',
        `db = { password: <redacted> } (file ${file})`,
        'days = 3 (flag --days)',
      ].join('\n'),
    );
  });

  const Refusing = Schema.String.pipe(
    Schema.filter((text) => text.length > 99, { message: ({ actual }) => `${String(actual)} is too short` }),
  );
  const Naming = Schema.String.annotations({ message: ({ actual }) => `${(actual as string).slice(0)} is no text` });
  const Throwing = Schema.transform(Schema.String, Schema.RedactedFromSelf(Schema.String), {
    decode: (text) => {
      throw new Error(text);
    },
    encode: () => '',
  });
  const OwnWord = Schema.RedactedFromSelf(Refusing).annotations({ description: 'my token' });
  it.each<[string, Schema.Schema.AnyNoContext]>([
    ['a string', Schema.Redacted(Schema.String.pipe(Schema.minLength(99)))],
    ['a number', Schema.Redacted(Schema.Number)],
    ['a literal', Schema.Redacted(Schema.Literal('a', 'b'))],
    ['a list', Schema.Array(Schema.Redacted(Refusing))],
    ['one of several', Schema.Union(Schema.Redacted(Schema.Number), Schema.Redacted(Refusing))],
    ['a member', Schema.Struct({ a: Schema.Redacted(Schema.Number) })],
    ['a refined one', Schema.Redacted(Schema.String).pipe(Schema.filter(() => false))],
    ['with a message that quotes it', Schema.Redacted(Refusing)],
    ['with a message that needs it', Schema.Redacted(Schema.Union(Schema.Number, Naming.pipe(Schema.minLength(99))))],
    ['with a schema that throws it', Throwing],
    [
      'with a description of its own',
      Schema.transform(Schema.String, OwnWord, { decode: () => null as never, encode: () => '' }),
    ],
    [
      'an object with a password in it',
      Schema.transform(Schema.String, Schema.instanceOf(URL), { decode: () => null as never, encode: () => '' }),
    ],
  ])('are not in the message of what is wrong: %s', (_, schema) => {
    const fields = { x: schema as Schema.Schema<unknown> };
    const read = (started: StartedWith) => refusal(() => settings(fields, { prefix: 'P', file }).read(started)).join();
    const wrong = 'http://u:hunt@h';
    const messages = [read(given(`--x=${wrong}`)), read(env({ P_X: wrong }))];
    holds({ x: wrong });
    messages.push(read(given()));
    holds({ x: { a: wrong } });
    messages.push(read(given()));
    holds({ x: [wrong] });
    messages.push(read(given()));
    for (const message of messages) {
      expect(message).toMatch(/^x: .+ \((?:flag --x|environment P_X|file .+)\)$/);
      expect(message).not.toMatch(/hunt/);
    }
  });

  it('have their rule in the message', () => {
    expect(refusal(() => declared().read(given('--token=hunt', '--days=1')))).toEqual([
      'token: breaks its rule: a string at least 8 character(s) long (flag --token)',
    ]);
  });

  it('are not in the message where their flag is misspelt', () => {
    const message = refusal(() => declared().read(given('--tokn', 'hunter2', '--tokn2=hunter2', '--days=1'))).join();
    expect(message).toContain('unknown flag "--tokn":');
    expect(message).not.toContain('hunter2');
  });
});

describe('usage', () => {
  it('tells of each setting what it is called, its rule, and what becomes of it', () => {
    const fields = {
      port: Schema.optionalWith(port, { default: () => 4000 }).annotations({ description: 'Where to listen' }),
      cities: Schema.Array(Schema.String).annotations({ description: 'Which cities are known.' }),
      cache: Schema.optionalWith(Schema.Boolean, { default: () => true }),
      unit: Schema.optional(Schema.Literal('c', 'f')),
      maxDays: Schema.NumberFromString,
      apiKey: secret.annotations({ description: 'From the provider' }),
      pin: Schema.optionalWith(Schema.Redacted(Schema.Number), {
        default: () => one(Schema.Redacted(Schema.Number), given('--x=1234')) as never,
      }),
    };
    expect(settings(fields, { prefix: 'WEATHER', file: 'weather.json' }).usage().split('\n')).toEqual([
      '  --port <a number between 1 and 65535>',
      '      Where to listen. Environment: WEATHER_PORT. Default: 4000.',
      '  --cities <a list, each item a string>',
      '      Which cities are known. Environment: WEATHER_CITIES. Required.',
      '  --[no-]cache',
      '      Environment: WEATHER_CACHE. Default: true.',
      '  --unit <"c" or "f">',
      '      Environment: WEATHER_UNIT.',
      '  --max-days <a number>',
      '      Environment: WEATHER_MAX_DAYS. Required.',
      '  --api-key <a string at least 8 character(s) long>',
      '      From the provider. Secret. Environment: WEATHER_API_KEY. Required.',
      '  --pin <a number>',
      '      Secret. Environment: WEATHER_PIN. Default: <redacted>.',
      '  --config <path>',
      '      A JSON file of settings. Default: weather.json.',
    ]);
    expect(settings({ x: Schema.String }).usage()).toBe(
      '  --x <a string>\n      Required.\n  --config <path>\n      A JSON file of settings.',
    );
  });
});
