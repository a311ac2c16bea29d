import {
  catchError,
  concat,
  defer,
  EMPTY,
  firstValueFrom,
  ignoreElements,
  map,
  merge,
  mergeMap,
  NEVER,
  of,
  retry,
  Subject,
  BehaviorSubject,
  take,
  takeUntil,
  throwError,
  type Observable,
} from 'rxjs';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import {
  connect,
  ConnectionClosed,
  inMemory,
  log,
  notFound,
  prompt,
  resource,
  restart,
  RpcError,
  server,
  steady,
  tool,
  tools,
  updates,
  type Channel,
  type Client,
  type Revision,
  type Schedule,
  type SteadyClient,
} from '../../lib/index.ts';
import { createLedger, cutAfter, inbound, puppet, tap } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  expect(left).toBe(0);
});

/** How long it takes until there is another connection, in milliseconds. */
const waitMs = 1_000;
const schedule: Schedule = { jitter: 0, initialMs: waitMs, factor: 1 };
const broken = (): ConnectionClosed => new ConnectionClosed({ message: 'it broke' });
/** The two ways in which a connection ends. */
const ends: readonly (readonly [string, Error | undefined])[] = [
  ['in good order', undefined],
  ['by breaking', broken()],
];

/** What a stream has told so far, its end included. */
const record = <T>(source: Observable<T>) => {
  const seen: unknown[] = [];
  const subscription = source.subscribe({
    next: (value) => seen.push(value),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return { seen, stop: () => subscription.unsubscribe() };
};

/** A server that changes, over a wire that can be cut; whoever connects gets one client. */
const scene = (revision: Revision, options: Schedule = schedule) => {
  const ledger = createLedger();
  const extra$ = new BehaviorSubject<readonly string[]>([]);
  const touched$ = new Subject<string>();
  let version = 0;
  let asked = false;
  const made = () =>
    server(
      { name: 'weather', version: String((version += 1)) },
      tool('which', {}, () => String(version)),
      tool('slow', {}, () => NEVER.pipe(ledger.watch('slow'))),
      tool('loud', {}, () => merge(of(log('info', version)), of('said'))),
      tools(extra$.pipe(mergeMap((names) => of(names.map((name) => tool(name, {}, () => name)))))),
      resource('note:a', {}, () => `a at ${version}`),
      resource('note:b', {}, () => `b at ${version}`),
      resource('note:shy', {}, () => {
        if (asked) return 'here';
        asked = true;
        return Promise.reject(notFound('note:shy'));
      }),
      prompt('ask', { arguments: { topic: { complete: (typed) => [typed] } } }, ({ topic }) => topic),
      updates(touched$.pipe(ledger.watch('updates'))),
    );
  const cut$ = new Subject<Error | undefined>();
  const done$ = cut$.pipe(mergeMap((error) => (error === undefined ? of(error) : EMPTY)));
  const broken$ = cut$.pipe(mergeMap((error) => (error === undefined ? EMPTY : throwError(() => error))));
  const cuttable = inbound((source) => merge(source, broken$).pipe(takeUntil(done$)));
  const wire = tap((outbound) => cuttable(inMemory(made()))(outbound));
  const clients: SteadyClient[] = [];
  const outcome: unknown[] = [];
  const subscription = connect(wire, { revisions: [revision], logLevel: 'info' })
    .pipe(ledger.watch('connection'), restart(options), steady())
    .subscribe({
      next: (client) => clients.push(client),
      error: (error: unknown) => outcome.push(error),
      complete: () => outcome.push('complete'),
    });
  const [client] = clients;
  if (client === undefined) throw new Error('there is no client');
  return {
    client,
    clients,
    ledger,
    outcome,
    wire,
    extra$,
    touched$,
    cut: (error?: Error) => cut$.next(error),
    stop: () => subscription.unsubscribe(),
    /** How many times a method has been sent, over all connections. */
    sent: (method: string): number =>
      wire.overheard.filter(({ way, message }) => way === 'out' && message['method'] === method).length,
    /** Nothing is left. */
    empty: () => {
      expect(ledger.live).toEqual({});
      expect(wire.open).toBe(0);
      expect(cut$.observed || touched$.observed || extra$.observed).toBe(false);
      expect(vi.getTimerCount()).toBe(0);
    },
  };
};
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);
const text = (result: unknown): unknown => JSON.parse(JSON.stringify(result));
const saying = (said: string) => ({ content: [{ type: 'text', text: said }] });
const namesOf = (seen: readonly unknown[]): unknown =>
  seen.map((one) => (Array.isArray(one) ? one.map(({ name }: { name: string }) => name).join() : one));
const basic = 'which,slow,loud';

describe.each(['2025-06-18', '2026-07-28'] as const)('a steady client (%s)', (revision) => {
  const modern = revision === '2026-07-28';
  const [opens, closes] = modern
    ? ['subscriptions/listen', 'notifications/cancelled']
    : ['resources/subscribe', 'resources/unsubscribe'];

  it.each(ends)('is one over all connections, each of which ends %s', async (_, end) => {
    const { client, clients, cut, stop, empty, ledger, outcome } = scene(revision);
    expect(await client.callTool('which')).toMatchObject(saying('1'));
    cut(end);
    expect(ledger.live).toEqual({});
    await pass(waitMs);
    expect(await client.callTool('which')).toMatchObject(saying('2'));
    cut(end);
    await pass(waitMs);
    expect(await client.callTool('which')).toMatchObject(saying('3'));
    expect(clients).toEqual([client]);
    stop();
    expect(outcome).toEqual([]);
    empty();
  });

  it.each(ends)('says whether there is a connection, to all who look, the latest first (%s)', async (_, end) => {
    const { client, cut, stop } = scene(revision);
    const one = record(client.state$);
    expect(one.seen).toEqual(['connected']);
    cut(end);
    const two = record(client.state$);
    expect(one.seen).toEqual(['connected', 'reconnecting']);
    await pass(waitMs);
    stop();
    expect(one.seen).toEqual(['connected', 'reconnecting', 'connected', 'closed', 'complete']);
    expect(two.seen).toEqual(['reconnecting', 'connected', 'closed', 'complete']);
    expect(record(client.state$).seen).toEqual(['closed', 'complete']);
  });

  it('is what its newest connection is', async () => {
    const { client, cut, stop } = scene(revision);
    expect(client).toMatchObject({ revision, server: { version: '1' }, capabilities: { tools: {} } });
    cut();
    expect(client.server).toEqual({ name: 'weather', version: '1' });
    await pass(waitMs);
    expect(client.server).toEqual({ name: 'weather', version: '2' });
    expect(client.instructions).toBeUndefined();
    stop();
    expect(client.server).toEqual({ name: 'weather', version: '2' });
  });

  it('lets what is asked without a connection wait for one, and the wait counts for nothing', async () => {
    const { client, cut, stop, sent } = scene(revision);
    cut();
    const limits = { idleMs: 10, totalMs: 10 };
    const asked: readonly (readonly [string, Observable<unknown> | Promise<unknown>])[] = [
      ['tools/call', client.callTool('which', {}, limits)],
      ['tools/call', client.call('which', {}, limits)],
      ['resources/read', client.readResource('note:a', limits)],
      ['resources/read', client.request('resources/read', { uri: 'note:a' }, limits)],
      ['tools/list', client.listTools(limits)],
      ['resources/list', client.listResources(limits)],
      ['resources/templates/list', client.listTemplates(limits)],
      ['prompts/list', client.listPrompts(limits)],
      ['prompts/get', client.getPrompt('ask', { topic: 'x' }, limits)],
      ['completion/complete', client.complete({ type: 'ref/prompt', name: 'ask' }, 'topic', 'x', {}, limits)],
      ['tools/list', client.exchange({ method: 'tools/list', params: { _meta: {} } }, {})],
    ];
    const answers = asked.map(([, one]) => record(defer(() => one)).seen);
    await pass(waitMs - 1);
    const methods = [...new Set(asked.map(([method]) => method))];
    expect(methods.map(sent)).toEqual(methods.map(() => 0));
    expect(answers.flat()).toEqual([]);
    await pass(1);
    expect(methods.map(sent)).toEqual([2, 2, 2, 1, 1, 1, 1, 1]);
    for (const seen of answers) expect(seen).toEqual([expect.any(Object), 'complete']);
    stop();
  });

  it('sends nothing of what no longer waits', async () => {
    const { client, cut, stop, sent, empty } = scene(revision);
    cut();
    const controller = new AbortController();
    const listeners = new Set<unknown>();
    const { signal } = controller;
    vi.spyOn(signal, 'addEventListener').mockImplementation((_: string, listener: unknown) => listeners.add(listener));
    vi.spyOn(signal, 'removeEventListener').mockImplementation((_: string, listener: unknown) =>
      listeners.delete(listener),
    );
    const heard = client.callTool('which', {}, { signal });
    expect(listeners.size).toBe(1);
    record(client.call('which')).stop();
    const given = new AbortController();
    const awaited = client.readResource('note:a', { signal: given.signal });
    given.abort(new Error('changed my mind'));
    await expect(awaited).rejects.toThrow('changed my mind');
    await expect(client.readResource('note:a', { signal: given.signal })).rejects.toThrow('changed my mind');
    await pass(waitMs);
    await heard;
    expect(listeners.size).toBe(0);
    expect([sent('tools/call'), sent('resources/read')]).toEqual([1, 0]);
    stop();
    empty();
  });

  it.each(ends)(
    'fails what is under way when a connection ends %s, and does not repeat it (AMB-12)',
    async (_, end) => {
      const { client, cut, stop, sent, ledger } = scene(revision);
      const awaited = client.callTool('slow').catch((error: unknown) => error);
      const { seen } = record(client.call('slow'));
      const asked = record(client.exchange({ method: 'tools/call', params: { name: 'slow', _meta: {} } }, {}));
      expect(ledger.live).toMatchObject({ slow: 3 });
      cut(end);
      expect(await awaited).toBeInstanceOf(ConnectionClosed);
      expect([...seen, ...asked.seen]).toEqual([expect.any(ConnectionClosed), expect.any(ConnectionClosed)]);
      await pass(waitMs);
      expect(sent('tools/call')).toBe(3);
      expect(ledger.live).toEqual({ connection: 1 });
      stop();
    },
  );

  it.each(ends)('asks the next connection, and only that, where the caller repeats it (%s)', async (_, end) => {
    const { client, cut, stop, sent, empty } = scene(revision);
    const { seen } = record(client.call('slow').pipe(retry({ count: 2 })));
    cut(end);
    await pass(waitMs);
    expect([sent('tools/call'), seen]).toEqual([2, []]);
    cut(end);
    await pass(waitMs);
    expect([sent('tools/call'), seen]).toEqual([3, []]);
    stop();
    await pass(0);
    expect(seen).toEqual([expect.any(ConnectionClosed)]);
    empty();
  });

  it('has a list that goes on, shows the latest meanwhile, and is fetched once a connection and once a burst', async () => {
    const { client, cut, stop, sent, extra$ } = scene(revision);
    expect(sent('tools/list')).toBe(0);
    const one = record(client.tools$);
    const two = record(client.tools$);
    await pass(0);
    expect(namesOf(one.seen)).toEqual([basic]);
    extra$.next(['x']);
    extra$.next(['x', 'y']);
    await pass(500);
    expect(namesOf(one.seen)).toEqual([basic, `${basic},x,y`]);
    expect(two.seen).toEqual(one.seen);
    expect(sent('tools/list')).toBe(2);
    cut();
    extra$.next(['z']);
    const three = record(client.tools$);
    expect(namesOf(three.seen)).toEqual([`${basic},x,y`]);
    await pass(waitMs);
    expect(namesOf(one.seen)).toEqual([basic, `${basic},x,y`, `${basic},z`]);
    expect(namesOf(three.seen)).toEqual([`${basic},x,y`, `${basic},z`]);
    expect(sent('tools/list')).toBe(3);
    if (modern) expect(sent(opens)).toBe(2);
    for (const each of [one, two]) each.stop();
    if (modern) expect(sent(closes)).toBe(0);
    three.stop();
    if (modern) expect(sent(closes)).toBe(1);
    cut();
    await pass(waitMs);
    expect(sent('tools/list')).toBe(3);
    stop();
  });

  it('has a list that waits for a connection where there is none', async () => {
    const { client, cut, stop, empty } = scene(revision);
    cut(broken());
    const { seen } = record(client.resources$);
    const templates = record(client.templates$);
    const asks = record(client.prompts$);
    await pass(waitMs - 1);
    expect(seen).toEqual([]);
    await pass(1);
    expect(namesOf(seen)).toEqual(['note:a,note:b,note:shy']);
    expect(templates.seen).toEqual([[]]);
    expect(namesOf(asks.seen)).toEqual(['ask']);
    stop();
    expect(seen.at(-1)).toBe('complete');
    empty();
  });

  it('watches a resource once for all who look at its URI, over all connections (SUB-16)', async () => {
    const { client, cut, stop, sent, touched$, ledger } = scene(revision);
    const one = record(client.resource$('note:a'));
    const two = record(client.resource$('note:a'));
    const other = record(client.resource$('note:b'));
    const reads = (seen: readonly unknown[]): unknown =>
      seen.map((read) => (text(read) as { contents: { text: string }[] }).contents[0]?.text);
    await pass(200);
    expect([sent(opens), sent('resources/read')]).toEqual([2, 2]);
    touched$.next('note:a');
    touched$.next('note:a');
    await pass(200);
    expect([reads(one.seen), reads(other.seen)]).toEqual([['a at 1', 'a at 1'], ['b at 1']]);
    cut(broken());
    const three = record(client.resource$('note:a'));
    expect(reads(three.seen)).toEqual(['a at 1']);
    await pass(waitMs + 200);
    expect(reads(one.seen)).toEqual(['a at 1', 'a at 1', 'a at 2']);
    expect(reads(three.seen)).toEqual(['a at 1', 'a at 2']);
    expect(two.seen).toEqual(one.seen);
    expect([sent(opens), sent('resources/read')]).toEqual([4, 5]);
    for (const each of [one, two, other]) each.stop();
    expect(sent(closes)).toBe(1);
    three.stop();
    expect(sent(closes)).toBe(2);
    await pass(200);
    expect(ledger.live).toEqual({ connection: 1 });
    const again = record(client.resource$('note:a'));
    await pass(200);
    expect([reads(again.seen), sent(opens), sent('resources/read')]).toEqual([['a at 2'], 5, 6]);
    stop();
  });

  it('is asked anew, and once for all, about a resource that failed', async () => {
    const { client, stop, sent } = scene(revision);
    const one = record(client.resource$('note:shy'));
    await pass(200);
    expect(one.seen).toEqual([expect.any(RpcError)]);
    const two = record(client.resource$('note:shy'));
    const three = record(client.resource$('note:shy'));
    await pass(200);
    expect(two.seen).toEqual([expect.objectContaining({ contents: [{ uri: 'note:shy', text: 'here' }] })]);
    expect(three.seen).toEqual(two.seen);
    expect([sent(opens), sent('resources/read')]).toEqual([2, 2]);
    stop();
  });

  it('shares what is looked at again as soon as it has failed', async () => {
    const { client, stop, sent } = scene(revision);
    const one = record(client.resource$('note:shy').pipe(retry(1)));
    await pass(200);
    const two = record(client.resource$('note:shy'));
    await pass(200);
    expect(one.seen).toEqual([expect.objectContaining({ contents: [{ uri: 'note:shy', text: 'here' }] })]);
    expect(two.seen).toEqual(one.seen);
    // A session that is looked at again before the last look has ended stays subscribed.
    expect([sent(opens), sent('resources/read')]).toEqual([modern ? 2 : 1, 2]);
    stop();
  });

  it('listens anew over each connection, for as long as somebody does (SUB-16, STDIO-22)', async () => {
    const { client, cut, stop, touched$ } = scene(revision);
    const { seen } = record(client.listen({ resourceSubscriptions: ['note:a'] }));
    const brief = record(client.listen({ resourceSubscriptions: ['note:a'] }));
    await pass(200);
    brief.stop();
    const methods = (): unknown => seen.map((one) => (text(one) as { method?: unknown }).method ?? one);
    const [acknowledged, updated] = [
      'notifications/subscriptions/acknowledged',
      'notifications/resources/updated',
    ] as const;
    touched$.next('note:a');
    expect(methods()).toEqual([acknowledged, updated]);
    cut();
    await pass(waitMs + 200);
    touched$.next('note:a');
    expect(methods()).toEqual([acknowledged, updated, acknowledged, updated]);
    expect(brief.seen).toHaveLength(1);
    stop();
    expect(methods()).toEqual([acknowledged, updated, acknowledged, updated, 'complete']);
  });

  it('has log lines of every connection', async () => {
    const { client, cut, stop } = scene(revision);
    const { seen } = record(client.logs$);
    await client.callTool('loud');
    cut();
    await pass(waitMs);
    await client.callTool('loud');
    stop();
    expect(seen).toEqual([
      { kind: 'log', level: 'info', data: 1 },
      { kind: 'log', level: 'info', data: 2 },
      'complete',
    ]);
  });

  it.each(ends)('shows what is looked at the moment that a connection ends with the next (%s)', async (_, end) => {
    const { client, cut, stop } = scene(revision);
    const params = { notifications: { toolsListChanged: true }, _meta: {} };
    const listening = client.exchange({ method: 'subscriptions/listen', params }, {});
    const { seen } = record(concat(listening.pipe(ignoreElements()), client.tools$));
    cut(end);
    await pass(waitMs - 1);
    expect(seen).toEqual([]);
    await pass(1);
    expect(namesOf(seen)).toEqual([basic]);
    stop();
  });

  it('ends what listens through its exchange with the connection', async () => {
    const { client, cut, stop, sent } = scene(revision);
    const params = { notifications: { toolsListChanged: true }, _meta: {} };
    const { seen } = record(client.exchange({ method: 'subscriptions/listen', params }, {}));
    cut();
    expect(seen.at(-1)).toBe('complete');
    await pass(waitMs);
    expect(sent('subscriptions/listen')).toBe(modern ? 1 : 0);
    stop();
  });

  it('ends all that it has when nobody wants it any more, and calls nothing off that ends by itself', async () => {
    const { client, cut, stop, sent, outcome, empty, ledger } = scene(revision);
    const streams = () => [
      client.tools$,
      client.resource$('note:a'),
      client.logs$,
      client.listen({ toolsListChanged: true }),
    ];
    const looking = streams().map((stream: Observable<unknown>) => record(stream));
    const under = [record(client.call('slow')), record(defer(() => client.callTool('slow')))];
    await pass(200);
    expect(ledger.live).toMatchObject({ slow: 2 });
    stop();
    for (const { seen } of looking) expect(seen.at(-1)).toBe('complete');
    expect(under[0]?.seen).toHaveLength(1);
    await pass(0);
    for (const { seen } of under) expect(seen).toEqual([expect.any(ConnectionClosed)]);
    expect(sent('notifications/cancelled')).toBe(0);
    expect(outcome).toEqual([]);
    empty();
    await expect(client.callTool('which')).rejects.toBeInstanceOf(ConnectionClosed);
    expect(record(client.listTools()).seen).toEqual([expect.any(ConnectionClosed)]);
    expect(record(client.resources$).seen).toEqual(['complete']);
    expect(record(client.resource$('note:b')).seen).toEqual(['complete']);
    expect(namesOf(record(client.tools$).seen)).toEqual([basic, 'complete']);
    cut();
    await pass(10 * waitMs);
    empty();
  });

  it('fails what waits when nobody wants it any more', async () => {
    const { client, cut, stop, empty } = scene(revision);
    cut();
    const awaited = client.callTool('which').catch((error: unknown) => error);
    const { seen } = record(client.call('which'));
    const listed = record(client.tools$);
    stop();
    expect(await awaited).toBeInstanceOf(ConnectionClosed);
    expect(seen).toEqual([expect.any(ConnectionClosed)]);
    expect(listed.seen).toEqual(['complete']);
    empty();
  });

  it('completes with its source', async () => {
    const { client, cut, outcome, empty } = scene(revision, { ...schedule, always: false });
    const state = record(client.state$);
    const listed = record(client.tools$);
    const called = client.callTool('slow').catch((error: unknown) => error);
    cut();
    expect(outcome).toEqual(['complete']);
    expect(state.seen).toEqual(['connected', 'closed', 'complete']);
    expect(listed.seen.at(-1)).toBe('complete');
    expect(await called).toBeInstanceOf(ConnectionClosed);
    await expect(client.callTool('which')).rejects.toBeInstanceOf(ConnectionClosed);
    empty();
  });
});

describe('a steady client', () => {
  /** A channel that is one thing at first, then others; the last stays. */
  const inTurn = (...channels: readonly Channel[]): Channel => {
    let turn = 0;
    return (outbound) => (channels[turn++] ?? channels.at(-1) ?? (() => EMPTY))(outbound);
  };
  const weather = server(
    { name: 'weather', version: '1' },
    tool(
      'forecast',
      { input: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
      () => 'fair',
    ),
  );
  const clientless: Observable<Client> = EMPTY;
  const down: Channel = () => throwError(() => new ConnectionClosed({ message: 'nobody there', unopened: true }));

  it('fails with its source, and tells what waits why', async () => {
    const far = inTurn(cutAfter(1)(inMemory(weather)), down);
    const outcome: unknown[] = [];
    let client: SteadyClient | undefined;
    connect(far)
      .pipe(restart({ ...schedule, attempts: 2, stableMs: 0 }), steady())
      .subscribe({ next: (one) => (client = one), error: (error: unknown) => outcome.push(error) });
    const state = record(defer(() => client?.state$ ?? EMPTY));
    const waiting = client?.callTool('forecast', { city: 'Oslo' }).catch((error: unknown) => error);
    expect(state.seen).toEqual(['reconnecting']);
    await pass(3 * waitMs);
    expect(outcome).toEqual([expect.objectContaining({ message: 'nobody there' })]);
    expect(await waiting).toBe(outcome[0]);
    expect(state.seen).toEqual(['reconnecting', 'closed', 'complete']);
  });

  it('is not there before the first connection', async () => {
    const { seen, stop } = record(connect(inTurn(down, down, inMemory(weather))).pipe(restart(schedule), steady()));
    await pass(2 * waitMs - 1);
    expect(seen).toEqual([]);
    await pass(1);
    expect(seen).toHaveLength(1);
    stop();
    expect(record(clientless.pipe(steady())).seen).toEqual(['complete']);
    expect(record(connect(down).pipe(steady())).seen).toEqual([expect.any(ConnectionClosed)]);
  });

  it('is closed by whoever has had enough of it at once', async () => {
    const ledger = createLedger();
    const wire = tap(inMemory(weather));
    const client = await firstValueFrom(connect(wire).pipe(ledger.watch('connection'), restart(schedule), steady()));
    expect([wire.open, ledger.live]).toEqual([0, {}]);
    expect(record(client.state$).seen).toEqual(['closed', 'complete']);
  });

  /** Connections that come when the spec says so. */
  const byHand = () => {
    const clients$ = new Subject<Client>();
    const ledger = createLedger();
    const got: SteadyClient[] = [];
    const steadying = clients$.pipe(steady()).subscribe((client) => got.push(client));
    const made = (name: string) =>
      connect(
        inMemory(
          server(
            { name, version: '1' },
            tool(name, {}, () => name),
          ),
        ),
      );
    return {
      steadying,
      made,
      /** Hands one on. */
      came: (client: Client) => clients$.next({ ...client, state$: client.state$.pipe(ledger.watch('state')) }),
      /** Makes one, and hands it on. */
      connected(name: string) {
        return made(name).subscribe((client) => this.came(client));
      },
      client: (): SteadyClient => got[0] ?? expect.fail('there is no client'),
      /** Nobody looks for more, or at those that there were. */
      abandoned: () => expect([clients$.observed, ledger.live]).toEqual([false, {}]),
    };
  };

  it('follows a connection that replaces one that is still there', async () => {
    const hand = byHand();
    const { steadying, client, abandoned } = hand;
    const one = hand.connected('one');
    const state = record(client().state$);
    const two = hand.connected('two');
    one.unsubscribe();
    expect(await client().callTool('two')).toMatchObject(saying('two'));
    expect(state.seen).toEqual(['connected']);
    two.unsubscribe();
    expect(state.seen).toEqual(['connected', 'reconnecting']);
    const three = hand.connected('three');
    steadying.unsubscribe();
    abandoned();
    three.unsubscribe();
  });

  it('knows a connection that has gone before it came', async () => {
    const hand = byHand();
    const one = hand.connected('one');
    const state = record(hand.client().state$);
    one.unsubscribe();
    hand.came(await firstValueFrom(hand.made('two')));
    const called = record(hand.client().call('three'));
    expect(state.seen.at(-1)).toBe('reconnecting');
    const three = hand.connected('three');
    await pass(0);
    expect(called.seen).toEqual([
      { kind: 'result', result: expect.objectContaining(saying('three')) as unknown },
      'complete',
    ]);
    three.unsubscribe();
    hand.steadying.unsubscribe();
    hand.abandoned();
  });

  it('tells all the newest connection last, whatever one of them does about it', async () => {
    const hand = byHand();
    const { steadying, client } = hand;
    const opened = [hand.connected('one')];
    opened[0]?.unsubscribe();
    const rash = client().state$.subscribe((state) => {
      if (state === 'connected' && opened.length < 3) opened.push(hand.connected('three'));
    });
    const { seen } = record(client().tools$);
    opened.push(hand.connected('two'));
    await pass(0);
    expect(namesOf(seen)).toEqual(['three']);
    expect(client().server).toEqual({ name: 'three', version: '1' });
    for (const each of [...opened, rash]) each.unsubscribe();
    expect(namesOf(seen)).toEqual(['three']);
    expect(record(client().state$.pipe(take(1))).seen).toEqual(['reconnecting', 'complete']);
    steadying.unsubscribe();
  });

  it('does not go back to a server that answers nothing but its opening, however often it is asked', async () => {
    const far = puppet(({ id, method }) =>
      method === 'server/discover'
        ? { jsonrpc: '2.0', id, result: { supportedVersions: ['2026-07-28'], capabilities: { tools: {} } } }
        : method === 'tools/call'
          ? void far.end()
          : undefined,
    );
    const clients: SteadyClient[] = [];
    const subscription = connect(far.channel)
      .pipe(restart(schedule), steady())
      .subscribe((client) => clients.push(client));
    let tries = 0;
    const again = defer(() => {
      tries += 1;
      return clients[0]?.call('x') ?? EMPTY;
    }).pipe(
      retry({ count: 50 }),
      catchError(() => EMPTY),
    );
    const { stop } = record(again);
    await pass(3 * waitMs + 1);
    expect(tries).toBe(5);
    stop();
    subscription.unsubscribe();
    expect(far.open).toBe(0);
  });

  it('fails a call that breaks by itself, as over HTTP, and keeps the connection', async () => {
    const ledger = createLedger();
    const alone: Observable<Client> = connect(inMemory(weather)).pipe(
      map((client) => ({ ...client, exchange: () => throwError(broken).pipe(ledger.watch('call')) })),
    );
    const clients: SteadyClient[] = [];
    const subscription = alone.pipe(steady()).subscribe((client) => clients.push(client));
    const client = clients[0] ?? expect.fail('there is no client');
    const state = record(client.state$);
    const { seen } = record(client.exchange({ method: 'tools/list' }, {}).pipe(retry(2)));
    await pass(0);
    expect(seen).toEqual([expect.any(ConnectionClosed)]);
    expect(ledger.entries).toHaveLength(3);
    expect(state.seen).toEqual(['connected']);
    subscription.unsubscribe();
  });

  it('is a client of the same server', () => {
    const typed = () =>
      connect<typeof weather>(inMemory(weather))
        .pipe(restart(), steady())
        .subscribe((client) => {
          expectTypeOf<Parameters<typeof client.callTool>[0]>().toEqualTypeOf<'forecast'>();
          const plain: Client<{ forecast: (args: { city: string }) => unknown }> = client;
          expectTypeOf(plain).toBeObject();
          // @ts-expect-error -- the city is missing
          void client.callTool('forecast', {});
        });
    expectTypeOf(typed).toBeFunction();
    expectTypeOf<SteadyClient<{ a: () => 1 }>>().toEqualTypeOf<Client<{ a: () => 1 }>>();
  });
});
