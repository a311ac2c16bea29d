import { describe, expect, it } from 'vitest';
import {
  codes,
  elicit,
  Misconfigured,
  prompt,
  resourceTemplate,
  RpcError,
  Schema,
  serverWith,
  tool,
  type Context,
  type JsonObject,
  type Report,
  type StateOptions,
} from '../../lib/index.ts';
import { errorOf, textOf } from '../behaviour/scene.ts';
import { accepted, roundsOf, stateOf } from './rounds.ts';

const Name = Schema.Struct({ name: Schema.String });
const [first, second] = ['a'.repeat(32), 'b'.repeat(32)] as const;
const answer = { inputResponses: { name: accepted({ name: 'Ada' }) } };
const asking = { name: 'greet', arguments: { word: 'hello', mark: '!' } };

/** What the step that the tool takes has found out. */
const found = 'the launch code is 0451';

const house = (state: StateOptions = { keys: [first] }) => {
  const runs: string[] = [];
  const reports: Report[] = [];
  const Input = Schema.Struct({ word: Schema.String, mark: Schema.optional(Schema.String) });
  const greeter = (name: 'greet' | 'bless') =>
    tool(name, { input: Input }, async ({ word, mark = '' }, call) => {
      runs.push(name);
      await call.step('look', () => found);
      const told = call.ask('name', elicit(Name, 'Who?'));
      const sure = call.ask('sure', elicit(Name, 'Sure?'));
      return `${word} ${told.action === 'accept' ? told.content.name : ''} ${sure.action}${mark}`;
    });
  const served = serverWith(
    { state },
    { name: 'house', version: '1' },
    greeter('greet'),
    greeter('bless'),
    prompt('greet', { arguments: { word: {}, mark: {} } }, (_, call) => {
      runs.push('prompt');
      return call.ask('name', elicit(Name, 'Who?')).action;
    }),
    resourceTemplate('house://{room}', {}, (_, call) => {
      runs.push('read');
      return call.ask('name', elicit(Name, 'Who?')).action;
    }),
  );
  served.errors$.subscribe((report) => reports.push(report));
  return { served, round: roundsOf(served), runs, reports };
};

type House = ReturnType<typeof house>;

/** Asks with a state and the answer, of a server that is to refuse it before any handler runs. */
const refused = async (
  { round, runs }: Pick<House, 'round' | 'runs'>,
  requestState: unknown,
  params: JsonObject = asking,
  context?: Context,
  method = 'tools/call',
): Promise<boolean> => {
  const { length } = runs;
  const error = await round(method, { ...params, ...answer, requestState }, context).then(
    () => undefined,
    (failure: unknown) => failure as { readonly code?: unknown },
  );
  return error?.code === codes.invalidParams && runs.length === length;
};

const goesOn = async ({ round }: Pick<House, 'round'>, requestState: string, params: JsonObject = asking) =>
  stateOf(await round('tools/call', { ...params, ...answer, requestState }));

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

describe('request state is refused, and no handler runs', () => {
  it('with one bit of it changed, wherever that is (MRTR-09, MRTR-10)', async () => {
    const here = house();
    const state = stateOf(await here.round('tools/call', asking));
    const taken: string[] = [];
    for (let at = 0; at < state.length; at += 1)
      for (let bit = 0; bit < 6; bit += 1) {
        const letter = alphabet[alphabet.indexOf(state[at] ?? '') ^ (1 << bit)];
        const changed = `${state.slice(0, at)}${letter}${state.slice(at + 1)}`;
        if (!(await refused(here, changed))) taken.push(`${at}.${bit}`);
      }
    expect(taken).toEqual([]);
    await goesOn(here, state);
  });

  it('in any other writing of the same bytes (MRTR-10)', async () => {
    const here = house();
    // Until one comes whose length leaves room for padding, with a letter that base64 writes differently.
    let state = '';
    while (!/[-_]/.test(state)) state = stateOf(await here.round('tools/call', asking));
    for (const other of [
      `${state}=`,
      `${state}==`,
      `${state}\n`,
      ` ${state}`,
      `${state.slice(0, 10)} ${state.slice(10)}`,
      state.replaceAll('-', '+').replaceAll('_', '/'),
    ])
      expect([other, await refused(here, other)]).toEqual([other, true]);
  });

  it('cut off anywhere, and made longer (MRTR-10)', async () => {
    const here = house();
    const state = stateOf(await here.round('tools/call', asking));
    const taken: number[] = [];
    for (let length = 0; length < state.length; length += 1)
      if (!(await refused(here, state.slice(0, length)))) taken.push(length);
    expect(taken).toEqual([]);
    expect(await refused(here, `${state}AAAA`)).toBe(true);
    expect(await refused(here, `AAAA${state}`)).toBe(true);
    expect(await refused(here, `${state}${state}`)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['a letter', 'x'],
    ['JSON', '{"answers":{}}'],
    ['a control character', '\u0000'],
    ['no letter of base64', 'ø'],
    ['as long as what goes before', 'A'.repeat(16)],
    ['long', 'A'.repeat(1_000)],
  ])('that is none: %s (MRTR-09)', async (_, state) => {
    const here = house();
    expect(await refused(here, state)).toBe(true);
    expect(here.reports.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('that is no string, as its schema says', async () => {
    for (const state of [5, null, {}, ['x'], true]) expect(await refused(house(), state)).toBe(true);
  });

  it('from a server with another key (MRTR-10)', async () => {
    const [here, there] = [house({ keys: [first] }), house({ keys: [second] })];
    const state = stateOf(await here.round('tools/call', asking));
    expect(await refused(there, state)).toBe(true);
    expect(await refused(house({}), state)).toBe(true);
    await goesOn(house({ keys: [first] }), state);
  });

  it('after its time (MRTR-11)', async () => {
    let at = 1_000;
    const here = house({ keys: [first], ttlMs: 500, now: () => at });
    const state = stateOf(await here.round('tools/call', asking));
    at = 1_500;
    const later = await goesOn(here, state);
    at = 1_501;
    expect(await refused(here, state)).toBe(true);
    // Each round has a time of its own.
    await goesOn(here, later);
    at = 2_001;
    expect(await refused(here, later)).toBe(true);
  });

  it('after a quarter of an hour, where nobody has said how long', async () => {
    let at = 0;
    const here = house({ keys: [first], now: () => at });
    const state = stateOf(await here.round('tools/call', asking));
    at = 900_000;
    await goesOn(here, state);
    at += 1;
    expect(await refused(here, state)).toBe(true);
  });

  it('with another tool, other arguments, or another method (MRTR-11)', async () => {
    const here = house();
    const state = stateOf(await here.round('tools/call', asking));
    for (const params of [
      { ...asking, name: 'bless' },
      { ...asking, arguments: { word: 'hello' } },
      { ...asking, arguments: { word: 'hello', mark: '?' } },
      { ...asking, arguments: { word: 'hello', mark: '!', more: 1 } },
      { ...asking, arguments: { mark: 'hello', word: '!' } },
    ])
      expect([params, await refused(here, state, params)]).toEqual([params, true]);
    // The same params, of another method.
    expect(await refused(here, state, asking, {}, 'prompts/get')).toBe(true);
    const read = stateOf(await here.round('resources/read', { uri: 'house://hall' }));
    expect(await refused(here, read, { uri: 'house://attic' }, {}, 'resources/read')).toBe(true);
    expect(await here.round('resources/read', { uri: 'house://hall', ...answer, requestState: read })).toMatchObject({
      contents: [{ text: 'accept' }],
    });
  });

  it('of another principal, or of none (MRTR-11, ELI-28)', async () => {
    const here = house();
    const [ada, grace] = [{ principal: 'ada' }, { principal: 'grace' }];
    const hers = stateOf(await here.round('tools/call', asking, ada));
    const nobodys = stateOf(await here.round('tools/call', asking));
    expect(await refused(here, hers, asking, grace)).toBe(true);
    expect(await refused(here, hers, asking)).toBe(true);
    expect(await refused(here, hers, asking, { principal: '' })).toBe(true);
    expect(await refused(here, nobodys, asking, ada)).toBe(true);
    expect(await here.round('tools/call', { ...asking, ...answer, requestState: hers }, ada)).toMatchObject({
      resultType: 'input_required',
    });
  });

  it('of another round of the same call it is not: that one goes on from where it was (MRTR-12)', async () => {
    const here = house();
    const one = stateOf(await here.round('tools/call', asking));
    const two = await goesOn(here, one);
    expect(await here.round('tools/call', { ...asking, requestState: one })).toMatchObject({
      inputRequests: { name: expect.anything() as unknown },
    });
    expect(await here.round('tools/call', { ...asking, requestState: two })).toMatchObject({
      inputRequests: { sure: expect.anything() as unknown },
    });
  });

  it('longer than allowed, unread', async () => {
    const here = house({ keys: [first], maxLength: 400 });
    const state = stateOf(await here.round('tools/call', asking));
    expect(state.length).toBeLessThanOrEqual(400);
    await goesOn(here, state);
    expect(await refused(house({ keys: [first], maxLength: state.length - 1 }), state)).toBe(true);
    await goesOn(house({ keys: [first], maxLength: 4_000 }), state);
  });

  it('and all that a peer hears is one sentence, the same for whatever was wrong (MRTR-10)', async () => {
    let at = 0;
    const here = house({ keys: [first], ttlMs: 10, now: () => at });
    const state = stateOf(await here.round('tools/call', asking));
    const heard = async (requestState: string, params: JsonObject = asking) =>
      errorOf(here.round('tools/call', { ...params, ...answer, requestState }));
    const said = [await heard('AAAA'), await heard(state, { ...asking, name: 'bless' })];
    at = 11;
    said.push(await heard(state));
    expect(new Set(said.map((error) => (error instanceof RpcError ? error.message : error)))).toEqual(
      new Set(['requestState is not valid for this request, or has expired: make the request anew']),
    );
    expect(here.reports).toEqual([]);
  });
});

describe('request state is taken', () => {
  it('twice: what a client repeats goes on again (MRTR-12)', async () => {
    const here = house();
    const one = stateOf(await here.round('tools/call', asking));
    const two = await goesOn(here, one);
    await goesOn(here, one);
    const last = { ...asking, inputResponses: { sure: { action: 'decline' } }, requestState: two };
    const results = [await here.round('tools/call', last), await here.round('tools/call', last)];
    expect(results.map((result) => textOf(result as never))).toEqual(['hello Ada decline!', 'hello Ada decline!']);
  });

  it('whatever order the members of the params come in, and whatever `_meta` says beside it', async () => {
    const here = house();
    const state = stateOf(await here.round('tools/call', asking));
    await goesOn(here, state, { arguments: { mark: '!', word: 'hello' }, name: 'greet' });
    await goesOn(here, state, { ...asking, _meta: { progressToken: 7, 'example.com/x': [1] } });
  });

  it('under the old key, while keys are changed; what is asked meanwhile is under the new one', async () => {
    const old = house({ keys: [first] });
    const both = house({ keys: [second, first] });
    const only = house({ keys: [second] });
    const before = stateOf(await old.round('tools/call', asking));
    const during = await goesOn(both, before);
    expect(await refused(old, during)).toBe(true);
    expect(await refused(only, before)).toBe(true);
    expect(await only.round('tools/call', { ...asking, requestState: during })).toMatchObject({
      inputRequests: { sure: expect.anything() as unknown },
    });
  });

  it('by any server with the same key: nothing of it is kept here', async () => {
    const state = stateOf(await house().round('tools/call', asking));
    await goesOn(house(), state);
  });
});

describe('request state tells nothing', () => {
  /** The ways in which a text may lie hidden in another. */
  const hidden = (text: string): readonly string[] => [
    text,
    encodeURIComponent(text),
    Buffer.from(text).toString('hex'),
    ...['', 'x', 'xx'].flatMap((before) => {
      // What stands before shifts the letters; the first and last depend on the neighbours.
      const inner = Buffer.from(`${before}${text}`).toString('base64').replaceAll('=', '').slice(4, -2);
      return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
    }),
  ];

  it.each(['', 'x', 'xx'])('(the look-out sees what lies open in base64, after %j)', (before) => {
    const open = Buffer.from(`${before}{"step":"${found}"}`).toString('base64url');
    expect(hidden('launch code').filter((form) => open.includes(form))).not.toEqual([]);
  });

  it('of what steps have found, of what was answered, or of who asks, in any encoding', async () => {
    const here = house();
    const context = { principal: 'ada@example.com' };
    const one = stateOf(await here.round('tools/call', asking, context));
    const given = { inputResponses: { name: accepted({ name: 'Rumpelstiltskin' }) }, requestState: one };
    const two = stateOf(await here.round('tools/call', { ...asking, ...given }, context));
    for (const state of [one, two]) {
      const bytes = Buffer.from(state, 'base64url');
      const said = [state, bytes.toString('latin1'), bytes.toString('utf8'), bytes.toString('hex')].join('\n');
      for (const secret of [found, 'launch code', 'Rumpelstiltskin', 'ada@example.com', '"action":"accept"'])
        for (const form of hidden(secret)) expect(said).not.toContain(form);
    }
  });

  it('and is another each time, for the same call too', async () => {
    const { round } = house({ keys: [first], now: () => 0 });
    const states = new Set<string>();
    for (let count = 0; count < 50; count += 1) states.add(stateOf(await round('tools/call', asking)));
    expect(states.size).toBe(50);
  });
});

describe('a server', () => {
  it('whose state has no key of its own warns once, when it first needs one', async () => {
    const here = house({});
    expect(here.reports).toEqual([]);
    const state = stateOf(await here.round('tools/call', asking));
    await goesOn(here, state);
    await here.round('tools/call', asking);
    expect(here.reports).toEqual([
      {
        level: 'warning',
        server: 'house',
        doing: 'serving',
        message: 'house: state.keys is not set: questions that wait for an answer are lost when this process ends',
      },
    ]);
    const keyed = house();
    await goesOn(keyed, stateOf(await keyed.round('tools/call', asking)));
    expect(keyed.reports).toEqual([]);
  });

  it.each([
    ['no key', { keys: [] }],
    ['a short key', { keys: ['a'.repeat(31)] }],
    ['a short key among others', { keys: [first, 'short'] }],
    ['no time', { ttlMs: 0 }],
    ['time without end', { ttlMs: Infinity }],
    ['no number', { ttlMs: NaN }],
  ])('is not made with %s', (_, state) => {
    expect(() => house(state)).toThrow(Misconfigured);
  });

  it('that keeps more than allowed fails the call, and tells its operator which limit it was', async () => {
    const here = house({ keys: [first], maxLength: 50 });
    // A peer hears of an internal error, and nothing of limits.
    expect(await errorOf(here.round('tools/call', asking))).toBeInstanceOf(Misconfigured);
    expect(here.reports).toMatchObject([
      {
        level: 'error',
        method: 'tools/call',
        name: 'greet',
        message: expect.stringContaining('50 are allowed (state.maxLength)') as string,
        error: expect.any(Misconfigured) as unknown,
      },
    ]);
    const read = await errorOf(here.round('resources/read', { uri: 'house://hall' }));
    expect(read).toBeInstanceOf(Misconfigured);
  });
});
