import { concat, NEVER, of, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { codes, elicit, log, progress, resource, server, tool, tools, type Notice } from 'rxmcp';
import { createLedger } from '../../../lib/testing/index.ts';
import { call, desk, holds, initialize, notice, request, turn } from './desk.ts';

const info = { name: 'house', version: '1' };
const form = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] } as const;
const token = { _meta: { progressToken: 't' } };

const house = () => {
  const ledger = createLedger();
  const words = new Subject<string | Notice>();
  const exchange = server(
    info,
    tool('echo', {}, () => 'hi'),
    tool('work', {}, () => words.pipe(ledger.watch('work'))),
    tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
    tool('ask', {}, (_, asked) => JSON.stringify(asked.ask('who', elicit(form, 'who?')))),
    resource('a:b', { live: true }, () => 'x'),
    tools(concat(of([]), NEVER)),
  );
  return { ledger, words, ...desk(exchange, { sessions: false }) };
};

describe('an endpoint without sessions', () => {
  it('has no streams to open and nothing to end: 405 (SHTTP-31, SHTTP-52)', () => {
    const { get, remove } = house();
    for (const headers of [{}, { 'mcp-session-id': 'x' }, { 'mcp-session-id': 'x', 'last-event-id': 'p1.1' }])
      expect([get(headers), remove(headers)].map(({ reply }) => reply.status)).toEqual([405, 405]);
  });

  it('answers a handshake without an id, and promises nothing that would need a session (SHTTP-43)', () => {
    const { post } = house();
    for (const revision of ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25']) {
      const { reply, json } = post(initialize(revision));
      expect(reply.headers).not.toHaveProperty('mcp-session-id');
      expect(json()).toMatchObject({
        result: { protocolVersion: revision, capabilities: { tools: {}, resources: {} } },
      });
      expect(reply.text).not.toMatch(/subscribe|listChanged/);
    }
  });

  it('answers each request by itself, as if a handshake had just been; of 2025-03-26 where none is named (SHTTP-55)', () => {
    const { post } = house();
    for (const headers of [{}, { 'mcp-protocol-version': '2025-11-25' }, { 'mcp-session-id': 'of another replica' }])
      expect(post(call(1, 'echo'), headers).json()).toMatchObject({ id: 1, result: { content: [{ text: 'hi' }] } });
    expect(post([call(1, 'echo'), notice('notifications/x')]).reply.text).toMatch(/^\[\{"jsonrpc":"2.0","id":1,/);
    expect(post([call(1, 'echo')], { 'mcp-protocol-version': '2025-06-18' }).reply.status).toBe(400);
    for (const body of [call(1, 'echo'), [call(1, 'echo')]])
      expect(post(body, { 'mcp-protocol-version': '1999-01-01' }).reply.status).toBe(400);
  });

  it('refuses a version that is not served also of what asks for no answer (SHTTP-56)', () => {
    const { post } = house();
    for (const body of [notice('notifications/initialized'), { jsonrpc: '2.0', id: 1, result: {} }])
      for (const [version, status] of [
        ['1999-01-01', 400],
        ['', 400],
        ['2025-06-18', 202],
        [undefined, 202],
      ] as const)
        expect(post(body, { 'mcp-protocol-version': version }).reply.status).toBe(status);
  });

  it('takes one id twice at a time: those who use it are strangers to each other', () => {
    const { post, ledger } = house();
    for (let round = 0; round < 3; round += 1) post(call(1, 'hang'));
    expect(ledger.live).toEqual({ hang: 3 });
    // Nobody can cancel another's, either.
    expect(post(notice('notifications/cancelled', { requestId: 1 })).reply.status).toBe(202);
    expect(ledger.live).toEqual({ hang: 3 });
  });

  it('says on the way what it has to say; nothing can be resumed, so events have no ids', async () => {
    const { post, words } = house();
    const asked = post(call(1, 'work', {}, token), { 'mcp-protocol-version': '2025-11-25' });
    words.next(progress(1));
    words.next(log('info', 'half'));
    words.next('done');
    words.complete();
    await turn();
    expect(asked.frames().map(({ method, id }) => method ?? id)).toEqual([
      'notifications/progress',
      'notifications/message',
      1,
    ]);
    expect(asked.reply.text).not.toMatch(/^(id|retry):/m);
  });

  it('has nobody to ask: who asks fails (SDK: the call hangs)', async () => {
    const { post } = house();
    const { reply, json } = post(call(1, 'ask'));
    await holds(() => reply.state === 'ended');
    expect(json()).toMatchObject({ id: 1, error: { code: codes.invalidRequest } });
  });

  it('does not know subscriptions; a log level it takes, and forgets', () => {
    const { post } = house();
    const subscribe = request(1, 'resources/subscribe', { uri: 'a:b' });
    expect(post(subscribe).json()).toMatchObject({ error: { code: codes.methodNotFound } });
    expect(post(request(1, 'logging/setLevel', { level: 'debug' })).json()).toMatchObject({ result: {} });
  });

  it('ends what is under way for a client that has gone, as nobody could come back for it', () => {
    const { post, ledger, endpoint } = house();
    const asked = [post(call(1, 'hang')), post([call(1, 'hang'), call(2, 'hang')])];
    expect([ledger.live, endpoint.busy]).toEqual([{ hang: 3 }, 3]);
    for (const one of asked) one.leave();
    expect([ledger.live, endpoint.busy]).toEqual([{}, 0]);
  });

  it('gives signs of life while it works, and no timer runs when it does not (HTTP26-17)', async () => {
    const { post, pass } = house();
    const asked = post(call(1, 'hang'));
    pass(31_000);
    await turn();
    expect(asked.reply).toMatchObject({ state: 'open', text: ': keep-alive\n\n' });
    asked.leave();
    pass(100_000);
    await turn();
    expect(asked.reply.text).toBe(': keep-alive\n\n');
  });

  it('when it ends, waits for what is under way, and answers the rest with an error', () => {
    const { post, endpoint, words, ledger } = house();
    const [working, hanging] = [post(call(1, 'work')), post(call(2, 'hang'))];
    endpoint.conclude();
    expect(endpoint.busy).toBe(2);
    words.next('done');
    words.complete();
    expect(endpoint.busy).toBe(1);
    endpoint.close();
    expect(working.json()).toMatchObject({ id: 1, result: {} });
    expect(hanging.json()).toMatchObject({ id: 2, error: { code: codes.internalError } });
    expect(ledger.live).toEqual({});
  });
});
