import { concat, NEVER, Observable, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Demultiplexer } from '../../lib/exchange/demultiplex.ts';
import type { Emission, Exchange } from '../../lib/exchange/exchange.ts';
import { log, progress } from '../../lib/exchange/notice.ts';
import { codes, RpcError } from '../../lib/frame/errors.ts';
import type { Frame, RequestId } from '../../lib/frame/frame.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const made = (exchange: Exchange, options: { readonly limit?: number } = {}) => {
  const sent: Frame[] = [];
  const failures: unknown[] = [];
  const idle: number[] = [];
  const demultiplexer: Demultiplexer = new Demultiplexer({
    send: (frame) => sent.push(frame),
    onFailure: (error, method) => failures.push([error, method]),
    onIdle: () => idle.push(demultiplexer.busy),
    ...options,
  });
  const ask = (id: RequestId, method = 'tools/call', meta?: Readonly<Record<string, unknown>>) =>
    demultiplexer.request(
      { jsonrpc: '2.0', id, method, ...(meta === undefined ? undefined : { params: { _meta: meta } }) },
      exchange,
      {},
    );
  return { demultiplexer, sent, failures, idle, ask };
};

const answer = (result: Readonly<Record<string, unknown>> = {}): Emission => ({ result });

describe('demultiplex', () => {
  it('answers under the id of the request: zero, the empty string, the largest integer (RPC-02, RPC-06)', () => {
    const { ask, sent, demultiplexer } = made(() => of(answer({ ok: true })));
    const ids = [0, '', '0', -1, Number.MAX_SAFE_INTEGER];
    for (const id of ids) ask(id);
    expect(sent).toEqual(ids.map((id) => ({ jsonrpc: '2.0', id, result: { ok: true } })));
    expect(demultiplexer.size).toBe(0);
  });

  it('takes 0 and "0" for two', () => {
    const { ask, sent, demultiplexer } = made(() => NEVER);
    ask(0);
    ask('0');
    expect(sent).toEqual([]);
    expect(demultiplexer.size).toBe(2);
  });

  it('refuses an id in flight without it, so that the first is not answered (RPC-05)', () => {
    const { ask, sent, demultiplexer } = made(() => NEVER);
    ask(0);
    ask(0);
    expect(sent).toEqual([
      { jsonrpc: '2.0', error: expect.objectContaining({ code: codes.invalidRequest }) as unknown },
    ]);
    expect(demultiplexer.size).toBe(1);
  });

  it('frees an id before its answer is out, for who asks again at once', () => {
    const sent: Frame[] = [];
    let again = 1;
    const demultiplexer: Demultiplexer = new Demultiplexer({
      send: (frame) => {
        sent.push(frame);
        if (again-- > 0) demultiplexer.request({ jsonrpc: '2.0', id: 1, method: 'a' }, () => of(answer()), {});
      },
    });
    demultiplexer.request({ jsonrpc: '2.0', id: 1, method: 'a' }, () => of(answer()), {});
    expect(sent).toEqual(Array(2).fill({ jsonrpc: '2.0', id: 1, result: {} }));
  });

  it('answers what goes beyond the bound with an error, and what follows once there is room', () => {
    const gate = new Subject<Emission>();
    const { ask, sent, demultiplexer } = made(() => gate, { limit: 2 });
    for (const id of [1, 2, 3]) ask(id);
    expect(sent).toEqual([
      { jsonrpc: '2.0', id: 3, error: expect.objectContaining({ code: codes.internalError }) as unknown },
    ]);
    demultiplexer.cancel(1);
    ask(4);
    expect(sent).toHaveLength(1);
    gate.next(answer());
    expect(sent.slice(1)).toEqual([2, 4].map((id) => ({ jsonrpc: '2.0', id, result: {} })));
  });

  it('unsubscribes what is cancelled and says nothing more of it (CAN-10)', () => {
    const ledger = createLedger();
    const source = new Subject<Emission>();
    const { ask, sent, demultiplexer, idle } = made(() => source.pipe(ledger.watch('work')));
    ask(1, 'tools/call', { progressToken: 't' });
    demultiplexer.cancel(2);
    demultiplexer.cancel('1');
    expect(ledger.live).toEqual({ work: 1 });
    demultiplexer.cancel(1);
    demultiplexer.cancel(1);
    source.next(progress(1));
    source.next(answer());
    expect(ledger.live).toEqual({});
    expect(sent).toEqual([]);
    expect(idle).toEqual([0]);
  });

  it('may be cancelled before it has been subscribed to the end', () => {
    const ledger = createLedger();
    const { ask, demultiplexer, sent } = made(() =>
      new Observable<Emission>((subscriber) => {
        demultiplexer.cancel(1);
        subscriber.next(answer());
      }).pipe(ledger.watch('work')),
    );
    ask(1);
    expect(ledger.live).toEqual({});
    expect(sent).toEqual([]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('/secret/path');
      },
    ],
    ['fails', () => throwError(() => new Error('/secret/path'))],
    ['ends without an answer', () => of(progress(1))],
  ] as const)('answers an exchange that %s with an error that tells nothing', (_, exchange) => {
    const { ask, sent, demultiplexer } = made(exchange);
    ask(1);
    expect(sent).toMatchObject([{ id: 1, error: { code: codes.internalError } }]);
    expect(JSON.stringify(sent)).not.toContain('secret');
    expect(demultiplexer.size).toBe(0);
  });

  it('tells its host of a failure, but not of an error that was meant for the peer', () => {
    const boom = new Error('boom');
    const { ask, failures } = made(({ method }) =>
      throwError(() => (method === 'a' ? boom : new RpcError({ code: 1, message: 'x' }))),
    );
    ask(1, 'a');
    ask(2, 'b');
    expect(failures).toEqual([[boom, 'a']]);
  });

  it('says one answer only, and nothing after it (RPC-08, PRG-07)', () => {
    const ledger = createLedger();
    const { ask, sent } = made(() =>
      concat(of(answer({ n: 1 }), progress(1), answer({ n: 2 })), NEVER).pipe(ledger.watch('work')),
    );
    ask(1, 'tools/call', { progressToken: 1 });
    expect(sent).toEqual([{ jsonrpc: '2.0', id: 1, result: { n: 1 } }]);
    expect(ledger.live).toEqual({});
  });

  it('stamps the progress token, rising only; says no log line that was not asked for (PRG-04, LOG-06)', () => {
    const { ask, sent } = made(() => of(progress(2), progress(1), log('info', 'x'), progress(3), answer()));
    ask(1, 'tools/call', { progressToken: 0 });
    expect(sent.slice(0, -1)).toEqual(
      [2, 3].map((done) => ({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken: 0, progress: done },
      })),
    );
    sent.length = 0;
    ask(2, 'tools/call', { [metaKeys.logLevel]: 'info' });
    expect(sent.map((frame) => ('method' in frame ? frame.method : 'result'))).toEqual([
      'notifications/message',
      'result',
    ]);
  });

  it('ends a subscription in good order: cancelled, then its result, both under its id (SUB-13, SUB-14, AMB-01)', () => {
    const ledger = createLedger();
    const { ask, sent, demultiplexer } = made(() => NEVER.pipe(ledger.watch('work')));
    ask('L', 'subscriptions/listen', {});
    ask(2, 'tools/call');
    expect(demultiplexer.busy).toBe(1);
    demultiplexer.conclude();
    const _meta = { [metaKeys.subscriptionId]: 'L' };
    expect(sent).toEqual([
      { jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'L', _meta } },
      { jsonrpc: '2.0', id: 'L', result: { resultType: 'complete', _meta } },
    ]);
    demultiplexer.close();
    expect(ledger.live).toEqual({});
    expect(demultiplexer.size).toBe(0);
    expect(sent).toHaveLength(2);
  });

  it('stamps the subscription id on every notice of a listen, and on no other (SUB-06, META-13)', () => {
    const notice = { method: 'notifications/tools/list_changed' };
    const { ask, sent } = made(() => of(notice, answer()));
    ask(7, 'subscriptions/listen');
    ask(8, 'tools/call');
    expect(sent[0]).toEqual({ jsonrpc: '2.0', ...notice, params: { _meta: { [metaKeys.subscriptionId]: 7 } } });
    expect(sent.at(-2)).toEqual({ jsonrpc: '2.0', ...notice });
  });
});
