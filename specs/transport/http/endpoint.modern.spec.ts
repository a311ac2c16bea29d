import { concat, defer, EMPTY, ignoreElements, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  codes,
  elicit,
  log,
  methodNotFound,
  progress,
  prompt,
  resource,
  RpcError,
  server,
  tool,
  updates,
  type JsonObject,
  type Notice,
} from 'rxmcp';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { createLedger } from '../../../lib/testing/index.ts';
import { call, desk, headersOf, holds, initialize, modernized, modernMeta, notice, request, turn } from './desk.ts';

const info = { name: 'house', version: '1' };
const token = { _meta: { progressToken: 't' } };
const loud = { _meta: { [metaKeys.logLevel]: 'debug' } };
const form = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] } as const;

const house = server(
  info,
  tool('echo', {}, () => 'hi'),
  tool('ask', {}, (_, asked) => JSON.stringify(asked.ask('who', elicit(form, 'who?')))),
  prompt('hello', {}, () => 'hello'),
  resource('a:b', {}, () => 'x'),
  resource('a:ü', {}, () => 'x'),
);

/** Headers said otherwise; undefined leaves one out. */
type Headers = Readonly<Record<string, string | undefined>>;

describe('a request of 2026-07-28', () => {
  it('is answered with one JSON object where its result comes first (HTTP26-10)', () => {
    const { reply, json } = desk(house).modern(call(7, 'echo'));
    expect(reply).toMatchObject({ status: 200, headers: { 'content-type': 'application/json' }, state: 'ended' });
    expect(json()).toMatchObject({ jsonrpc: '2.0', id: 7, result: { content: [{ text: 'hi' }] } });
  });

  it('is answered with events where a notification comes first; the result ends them (HTTP26-11, HTTP26-14, HTTP26-16)', async () => {
    const words = new Subject<string | Notice>();
    const { modern } = desk(
      server(
        info,
        tool('work', {}, () => words),
      ),
    );
    const asked = modern(call('seven', 'work', {}, { _meta: { ...token._meta, ...loud._meta } }));
    expect(asked.reply.state).toBe('waiting');
    words.next(progress(1, 2));
    await turn();
    expect(asked.reply).toMatchObject({
      state: 'open',
      status: 200,
      headers: {
        'content-type': 'text/event-stream',
        'x-accel-buffering': 'no',
        'cache-control': 'no-cache, no-transform',
      },
    });
    words.next(log('info', 'half'));
    words.next(progress(1, 2));
    words.next('done');
    words.complete();
    await turn();
    expect(asked.reply.state).toBe('ended');
    expect(asked.frames()).toMatchObject([
      { method: 'notifications/progress', params: { progressToken: 't', progress: 1 } },
      { method: 'notifications/message', params: { level: 'info', data: 'half' } },
      { id: 'seven', result: { content: [{ text: 'done' }] } },
    ]);
    // Streams of this revision cannot be resumed (HTTP26-19).
    expect(asked.reply.text).not.toMatch(/^(id|retry):/m);
  });

  it('that fails on the way ends its stream with the error, and status 200', async () => {
    const words = new Subject<string | Notice>();
    const { modern } = desk(() =>
      concat(of({ method: 'notifications/progress', params: { progress: 1 } }), words.pipe(ignoreElements())),
    );
    const asked = modern(request(1, 'tools/list', token));
    words.error(methodNotFound('tools/list'));
    await turn();
    expect(asked.reply).toMatchObject({ status: 200, state: 'ended' });
    expect(asked.frames().at(-1)).toMatchObject({ id: 1, error: { code: codes.methodNotFound } });
  });

  it('whose answer JSON cannot express, or that ends without one, is answered with an error (ERR)', async () => {
    const cycle: Record<string, unknown> = {};
    cycle['self'] = cycle;
    for (const exchange of [() => of({ result: cycle }), () => EMPTY, () => throwError(() => new Error('secret'))]) {
      const { modern, told } = desk(exchange);
      const { reply, json } = modern(request(1, 'tools/list'));
      expect(reply.status).toBe(200);
      expect(json()).toMatchObject({ id: 1, error: { code: codes.internalError } });
      expect(reply.text).not.toContain('secret');
      expect(told.length).toBeLessThan(2);
    }
  });

  it('asks nothing over the stream: what it needs is its result (HTTP26-13)', async () => {
    const { modern } = desk(house);
    const able = { _meta: { [metaKeys.clientCapabilities]: { elicitation: {} } } };
    const asked = modern(call(1, 'ask', {}, able));
    await holds(() => asked.reply.state === 'ended');
    expect(asked.json()).toMatchObject({ id: 1, result: { resultType: 'input_required' } });
  });

  it('is by itself: a session id is neither read, minted nor repeated, an event id not read (HTTP26-69)', () => {
    for (const options of [{}, { revisions: ['2026-07-28'] }] as const) {
      const { modern } = desk(house, options);
      const strange = { 'mcp-session-id': 'none', 'last-event-id': 'p1.1' };
      const { reply } = modern(call(1, 'echo'), strange);
      expect(reply.status).toBe(200);
      expect(reply.headers).not.toHaveProperty('mcp-session-id');
    }
  });

  it('may bring the id of another that is under way: each has its own answer', () => {
    const { modern } = desk(house);
    for (const id of [1, '1', 0, '', 1]) expect(modern(call(id, 'echo')).json()).toMatchObject({ id });
  });
});

describe('to hang up', () => {
  it('is to cancel: at any time before the answer is complete (HTTP26-21, HTTP26-22, AMB-13)', async () => {
    const ledger = createLedger();
    const words = new Subject<string | Notice>();
    const { modern, endpoint } = desk(
      server(
        info,
        tool('quiet', {}, () => NEVER.pipe(ledger.watch('quiet'))),
        tool('work', {}, () => words.pipe(ledger.watch('work'))),
      ),
    );
    const [quiet, work] = [modern(call(1, 'quiet')), modern(call(1, 'work', {}, token))];
    words.next(progress(1));
    await turn();
    expect(endpoint.busy).toBe(2);
    quiet.leave();
    words.next(progress(2));
    work.leave();
    const heard = work.reply.text;
    words.next(progress(3));
    words.next('late');
    await turn();
    expect(ledger.entries).toEqual(['quiet unsubscribed', 'work unsubscribed']);
    expect(work.reply.text).toBe(heard);
    expect(endpoint.busy).toBe(0);
  });

  it('on what tears down badly is told to the host, and hurts nobody', () => {
    const { modern, told } = desk(
      server(
        info,
        tool(
          'bad',
          {},
          () =>
            new Observable<string>(() => () => {
              throw new Error('teardown');
            }),
        ),
      ),
    );
    modern(call(1, 'bad')).leave();
    expect(told).toMatchObject([{ type: 'failure', method: 'tools/call' }]);
  });
});

describe('a subscription', () => {
  it('is a stream from its first word; nothing else goes on it, and it goes nowhere else (HTTP26-12, HTTP26-15, SUB-05)', async () => {
    const changed = new Subject<string>();
    const { modern } = desk(
      server(
        info,
        resource('a:b', {}, () => 'x'),
        updates(changed),
        tool('touch', {}, (_, asked) => {
          asked.progress(1);
          changed.next('a:b');
          return 'touched';
        }),
      ),
    );
    const listening = modern(
      request('sub', 'subscriptions/listen', { notifications: { resourceSubscriptions: ['a:b'] }, ...loud }),
    );
    await holds(() => listening.frames().length > 0);
    const calling = modern(call(1, 'touch', {}, token));
    await turn();
    expect(calling.frames().map(({ method, id }) => method ?? id)).toEqual(['notifications/progress', 1]);
    const stamped = { params: { _meta: { [metaKeys.subscriptionId]: 'sub' } } };
    expect(listening.frames()).toMatchObject([
      { method: 'notifications/subscriptions/acknowledged', ...stamped },
      { method: 'notifications/resources/updated', ...stamped },
    ]);
  });

  it('gets its result when the server ends, and its stream ends with that (SUB-13, SUB-14)', async () => {
    const { modern, endpoint } = desk(house);
    const listening = modern(request(5, 'subscriptions/listen', { notifications: {} }));
    await turn();
    expect(endpoint.busy).toBe(0);
    endpoint.conclude();
    expect(listening.reply.state).toBe('ended');
    expect(listening.frames().at(-1)).toEqual({
      jsonrpc: '2.0',
      id: 5,
      result: { resultType: 'complete', _meta: { [metaKeys.subscriptionId]: 5 } },
    });
  });

  it('ends with its client, and leaves nothing', async () => {
    const ledger = createLedger();
    const { modern } = desk(
      server(
        info,
        resource('a:b', { live: true }, () => concat(of('x'), NEVER).pipe(ledger.watch('watched'))),
      ),
    );
    const wanted = { notifications: { resourceSubscriptions: ['a:b'] } };
    const listening = [1, 1].map((id) => modern(request(id, 'subscriptions/listen', wanted)));
    await turn();
    expect(ledger.live['watched']).toBeGreaterThan(0);
    for (const one of listening) one.leave();
    expect(ledger.live).toEqual({});
  });
});

describe('signs of life', () => {
  it('go out where there is nothing else to say for two ticks: a comment, which opens the stream (HTTP26-17)', async () => {
    const { modern, pass } = desk(
      server(
        info,
        tool('quiet', {}, () => NEVER),
      ),
    );
    const asked = modern(call(1, 'quiet'));
    pass(29_000);
    expect(asked.reply.state).toBe('waiting');
    pass(2_000);
    await turn();
    expect(asked.reply).toMatchObject({ state: 'open', text: ': keep-alive\n\n' });
    pass(30_000);
    expect(asked.reply.text).toBe(': keep-alive\n\n'.repeat(3));
    expect(asked.frames()).toEqual([]);
    asked.leave();
    pass(100_000);
    await turn();
    expect(asked.reply.text).toBe(': keep-alive\n\n'.repeat(3));
  });

  it('do not where the client reads nothing, or hears enough', async () => {
    const words = new Subject<string | Notice>();
    const { modern, pass } = desk(
      server(
        info,
        tool('work', {}, () => words),
      ),
      { keepAliveMs: 1000 },
    );
    const asked = modern(call(1, 'work', {}, token));
    for (let step = 1; step <= 5; step += 1) {
      words.next(progress(step));
      await turn();
      pass(1000);
    }
    expect(asked.reply.text).not.toContain('keep-alive');
    asked.reply.writable = false;
    words.next(progress(6));
    await turn();
    pass(10_000);
    expect(asked.reply.text).not.toContain('keep-alive');
    asked.drain();
    pass(2000);
    expect(asked.reply.text).toContain('keep-alive');
    asked.leave();
  });
});

describe('what is wrong with a request is found in this order (AMB-03)', () => {
  const whole = modernized(call(1, 'echo'));
  const { _meta, ...bare } = whole['params'] as JsonObject;
  const without = (key: string): JsonObject =>
    Object.fromEntries(Object.entries(modernMeta).filter(([name]) => name !== key));
  const elsewhen = { ...modernMeta, [metaKeys.protocolVersion]: '2099-01-01' };
  const with_ = (meta: JsonObject, more: JsonObject = {}): JsonObject => ({
    ...whole,
    ...more,
    params: { ...bare, _meta: meta },
  });

  it.each<[string, JsonObject | string, Headers, number, number]>([
    ['it is no JSON', '{', {}, 400, codes.parseError],
    ['it is no message', { ...whole, jsonrpc: '1.0' }, { 'mcp-method': undefined }, 400, codes.invalidRequest],
    ['its id is none', { ...whole, id: null }, { 'mcp-method': undefined }, 400, codes.invalidRequest],
    [
      'a header is missing, and the body is wrong too (HTTP26-36)',
      { ...whole, params: bare },
      { 'mcp-method': undefined },
      400,
      codes.headerMismatch,
    ],
    ['Mcp-Name is missing (HTTP26-36)', with_({}), { 'mcp-name': undefined }, 400, codes.headerMismatch],
    [
      'the version header is missing (HTTP26-29)',
      with_(elsewhen),
      { 'mcp-protocol-version': undefined },
      400,
      codes.headerMismatch,
    ],
    [
      '_meta is missing, and the headers are others (HTTP26-70)',
      { ...whole, params: bare },
      { 'mcp-method': 'x' },
      400,
      codes.invalidParams,
    ],
    [
      '_meta says nothing of capabilities (HTTP26-70)',
      with_(without(metaKeys.clientCapabilities)),
      { 'mcp-name': 'x' },
      400,
      codes.invalidParams,
    ],
    [
      '_meta says no version, though the header does',
      with_(without(metaKeys.protocolVersion)),
      {},
      400,
      codes.invalidParams,
    ],
    [
      'the version header says another, and neither is served (HTTP26-25)',
      with_(elsewhen),
      {},
      400,
      codes.headerMismatch,
    ],
    [
      'the version is not served, and the method unknown (HTTP26-26)',
      with_(elsewhen, { method: 'no/such' }),
      { 'mcp-protocol-version': '2099-01-01', 'mcp-method': 'no/such' },
      400,
      codes.unsupportedProtocolVersion,
    ],
    [
      'the method is unknown (HTTP26-27)',
      with_(modernMeta, { method: 'no/such' }),
      { 'mcp-method': 'no/such', 'mcp-name': undefined },
      404,
      codes.methodNotFound,
    ],
    ['the method header says another (HTTP26-35)', whole, { 'mcp-method': 'tools/list' }, 400, codes.headerMismatch],
    ['the name header says another (HTTP26-35)', whole, { 'mcp-name': 'other' }, 400, codes.headerMismatch],
    [
      'its parameters are wrong (AMB-14)',
      { ...whole, params: { name: 'echo', arguments: 7, _meta: modernMeta } },
      {},
      200,
      codes.invalidParams,
    ],
    ['there is no such tool (AMB-14)', modernized(call(1, 'none')), { 'mcp-name': 'none' }, 200, codes.invalidParams],
    [
      'the client cannot do what it takes (HTTP26-70)',
      modernized(call(1, 'ask')),
      { 'mcp-name': 'ask' },
      400,
      codes.missingClientCapability,
    ],
  ])('%s', (_name, frame, headers, status, code) => {
    const { post } = desk(house);
    const { reply, json } = post(frame, { ...headersOf(whole), ...headers });
    expect(json()).toMatchObject({ error: { code } });
    expect(reply.status).toBe(status);
    if (typeof frame !== 'string' && frame['id'] === 1 && frame['jsonrpc'] === '2.0')
      expect(json()).toMatchObject({ id: 1 });
  });

  it('names the revisions that are served, where another is asked for (HTTP26-26)', () => {
    const { post } = desk(house);
    const odd = with_(elsewhen);
    const { json } = post(odd, { ...headersOf(odd), 'mcp-protocol-version': '2099-01-01' });
    expect(json()).toMatchObject({
      error: { data: { supported: expect.arrayContaining(['2026-07-28']) as unknown, requested: '2099-01-01' } },
    });
  });

  it('also names them to a client that opens as older ones do, where those are not served (VER-32)', () => {
    const { post } = desk(house, { revisions: ['2026-07-28'] });
    for (const headers of [{}, { 'mcp-protocol-version': '2025-11-25' }, headersOf(initialize())]) {
      const { reply, json } = post(initialize(), headers);
      expect(reply.status).toBe(400);
      expect(json()).toMatchObject({ id: 'init', error: { data: { supported: ['2026-07-28'] } } });
    }
    const meta = modernized(initialize());
    const whole = post(meta, headersOf(meta));
    expect(whole.reply.status).toBe(404);
    expect(whole.json()).toMatchObject({
      error: { code: codes.methodNotFound, data: { supported: ['2026-07-28'] } },
    });
  });
});

describe('a notification', () => {
  const cancelled = notice('notifications/cancelled', { requestId: 1 });
  const told = { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'notifications/cancelled' };
  const about = (version: string): JsonObject =>
    notice('notifications/cancelled', { requestId: 1, _meta: { [metaKeys.protocolVersion]: version } });

  it('is taken where its headers agree with it; they need not be there (AMB-02)', () => {
    const { post } = desk(house);
    for (const frame of [cancelled, about('2026-07-28')])
      for (const headers of [told, { ...told, 'mcp-method': undefined }])
        expect(post(frame, headers).reply).toMatchObject({ status: 202, text: '' });
    const modernOnly = desk(house, { revisions: ['2026-07-28'] });
    expect(modernOnly.post(cancelled).reply.status).toBe(202);
  });

  it.each<[string, JsonObject, Headers, number]>([
    ['its method (HTTP26-35)', cancelled, { 'mcp-method': 'notifications/other' }, codes.headerMismatch],
    ['its version (HTTP26-25)', about('2025-11-25'), {}, codes.headerMismatch],
  ])('is refused where a header says something else of %s (AMB-02)', (_name, frame, headers, code) => {
    const { reply, json } = desk(house).post(frame, { ...told, ...headers });
    expect(reply.status).toBe(400);
    expect(json()).toEqual({ jsonrpc: '2.0', error: { code, message: expect.any(String) as unknown } });
  });

  it('of a version that is not served is told which are (HTTP26-26, SHTTP-56)', () => {
    const { post } = desk(house, { revisions: ['2026-07-28'] });
    for (const version of ['1999-01-01', '2025-11-25', '']) {
      const { reply, json } = post(cancelled, { 'mcp-protocol-version': version });
      expect(reply.status).toBe(400);
      expect(json()).toMatchObject({
        error: { code: codes.unsupportedProtocolVersion, data: { supported: ['2026-07-28'], requested: version } },
      });
    }
  });

  it('of this revision is none of a server of older ones (SHTTP-56)', () => {
    const { post } = desk(house, { revisions: ['2025-11-25'], sessions: false });
    expect(post(cancelled, told).reply.status).toBe(400);
    expect(post(cancelled, { 'mcp-protocol-version': '2025-11-25' }).reply.status).toBe(202);
  });
});

describe('headers', () => {
  it.each([
    ['as it is', 'a:b', 'a:b', 200],
    ['with white space around it (HTTP26-40)', 'a:b', ' \ta:b ', 200],
    ['in base64 (HTTP26-33, HTTP26-38)', 'a:ü', '=?base64?YTrDvA==?=', 200],
    ['in base64 that need not be', 'a:b', '=?base64?YTpi?=', 200],
    ['in other letters (HTTP26-34)', 'a:b', 'A:b', 400],
    ['in bytes that are no ASCII (HTTP26-37)', 'a:ü', 'a:ü', 400],
    ['in base64 that is none (HTTP26-37)', 'a:b', '=?base64?YTp?=', 400],
    ['in base64 that is no text (HTTP26-37)', 'a:b', '=?base64?/w==?=', 400],
    ['with markers in other letters (HTTP26-56)', 'a:b', '=?BASE64?YTpi?=', 400],
    ['with nothing (HTTP26-35)', 'a:b', '', 400],
  ])('say a name %s', (_name, uri, header, status) => {
    const { modern } = desk(house);
    const { reply, json } = modern(request(1, 'resources/read', { uri }), { 'mcp-name': header });
    expect(reply.status).toBe(status);
    if (status === 400) expect(json()).toMatchObject({ id: 1, error: { code: codes.headerMismatch } });
  });

  it('say the name of a prompt and the URI of a resource, and of nothing else (HTTP26-31)', () => {
    const { modern } = desk(house);
    for (const frame of [request(1, 'prompts/get', { name: 'hello' }), request(1, 'resources/read', { uri: 'a:b' })]) {
      expect(modern(frame).reply.status).toBe(200);
      expect(modern(frame, { 'mcp-name': undefined }).json()).toMatchObject({ error: { code: codes.headerMismatch } });
      expect(modern(frame, { 'mcp-name': 'other' }).json()).toMatchObject({ error: { code: codes.headerMismatch } });
    }
    expect(modern(request(1, 'tools/list'), { 'mcp-name': 'whatever' }).reply.status).toBe(200);
  });

  it('that say a version make a request modern which does not say so itself, but not a handshake (HTTP26-28)', () => {
    const { post } = desk(house);
    const bare = request(1, 'tools/list');
    const answer = post(bare, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/list' });
    expect(answer.json()).toMatchObject({ error: { code: codes.invalidParams } });
    expect(post(initialize(), { 'mcp-protocol-version': '2026-07-28' }).reply.status).toBe(200);
    // Without either it is an older client that has no session.
    expect(post(bare).reply.status).toBe(400);
    expect(post(bare).json()).not.toMatchObject({ error: { code: codes.headerMismatch } });
  });
});

describe('what is no request', () => {
  it('a notification is accepted, and nothing comes back (HTTP26-09)', () => {
    for (const options of [{}, { revisions: ['2026-07-28'] }] as const) {
      const { modern } = desk(house, options);
      const { reply } = modern(notice('notifications/cancelled', { requestId: 1 }));
      expect(reply).toMatchObject({ status: 202, text: '', state: 'ended' });
    }
  });

  it('a response or an array is refused, without an id (HTTP26-08, HTTP26-09)', () => {
    const { post } = desk(house, { revisions: ['2026-07-28'] });
    const headers = { 'mcp-protocol-version': '2026-07-28' };
    for (const body of [
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 1, error: { code: 1, message: '' } },
      [],
      [modernized(call(1, 'echo'))],
    ]) {
      const { reply, json } = post(body, headers);
      expect(reply.status).toBe(400);
      expect(json()).toMatchObject({ error: { code: codes.invalidRequest } });
      expect(json()).not.toHaveProperty('id');
    }
  });
});

describe('the status of an error (matrix 2, AMB-14)', () => {
  it.each([
    [codes.methodNotFound, 404],
    [codes.headerMismatch, 400],
    [codes.missingClientCapability, 400],
    [codes.unsupportedProtocolVersion, 400],
    [codes.invalidParams, 200],
    [codes.internalError, 200],
    [codes.invalidRequest, 200],
    [codes.resourceNotFound, 200],
    [1234, 200],
  ])('%i: %i', (code, status) => {
    const failing = defer(() => throwError(() => new RpcError({ code, message: 'no' })));
    const { reply, json } = desk(() => failing).modern(request(1, 'tools/list'));
    expect(reply.status).toBe(status);
    expect(json()).toMatchObject({ id: 1, error: { message: 'no' } });
  });
});

describe('a reader that stops reading', () => {
  const flood = () => {
    const words = new Subject<string | Notice>();
    const ledger = createLedger();
    const made = desk(
      server(
        info,
        tool('work', {}, () => words.pipe(ledger.watch('work'))),
      ),
      { maxQueuedBytes: 10_000 },
    );
    const asked = made.modern(call(1, 'work', {}, { _meta: { ...token._meta, ...loud._meta } }));
    asked.reply.writable = false;
    return { words, ledger, asked, ...made };
  };

  it('gets the newest progress only, every log line and the result when it reads again', async () => {
    const { words, asked } = flood();
    words.next(progress(1));
    await turn();
    for (let step = 2; step <= 10_000; step += 1) words.next(progress(step));
    words.next(log('info', 'a'));
    words.next(log('info', 'b'));
    await turn();
    expect(asked.frames()).toHaveLength(1);
    words.next('done');
    words.complete();
    await turn();
    const said = asked.frames();
    expect(
      said.map(({ id, params }) => id ?? (params as JsonObject)['progress'] ?? (params as JsonObject)['data']),
    ).toEqual([1, 10_000, 'a', 'b', 1]);
    expect(asked.reply.state).toBe('ended');
  });

  it('is cut off where too much has queued, so that it does not take that for all there is; work ends', async () => {
    const { words, asked, ledger } = flood();
    words.next(progress(1));
    await turn();
    for (let line = 0; line < 100; line += 1) words.next(log('info', 'x'.repeat(200)));
    await turn();
    expect(asked.reply.state).toBe('destroyed');
    asked.leave();
    expect(ledger.live).toEqual({});
  });
});
