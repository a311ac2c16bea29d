import { mergeMap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Multiplexer } from '../../lib/exchange/multiplex.ts';
import { ConnectionClosed, RpcError } from '../../lib/frame/errors.ts';
import { tell, type Frame } from '../../lib/frame/frame.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const made = () => {
  const sent: Frame[] = [];
  const multiplexer = new Multiplexer((frame) => sent.push(frame));
  const seen: unknown[] = [];
  const ask = (method: string, params?: Readonly<Record<string, unknown>>) =>
    multiplexer.exchange(params === undefined ? { method } : { method, params }, {}).subscribe({
      next: (emission) => seen.push(emission),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('complete'),
    });
  return { multiplexer, sent, seen, ask };
};

const progress = (progressToken: unknown, done: unknown) =>
  ({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: done } }) as const;

describe('multiplex', () => {
  it('asks nothing before it is subscribed, and gives each request an id never used before (RPC-04, BR-06)', () => {
    const { multiplexer, sent, ask } = made();
    void multiplexer.exchange({ method: 'a' }, {});
    expect(sent).toEqual([]);
    ask('a');
    multiplexer.response({ jsonrpc: '2.0', id: 1, result: {} });
    ask('b');
    expect(sent).toEqual([
      { jsonrpc: '2.0', id: 1, method: 'a' },
      { jsonrpc: '2.0', id: 2, method: 'b' },
    ]);
  });

  it('completes with its result, and keeps nothing', () => {
    const { multiplexer, seen, ask } = made();
    ask('a');
    expect(multiplexer.size).toBe(1);
    multiplexer.response({ jsonrpc: '2.0', id: 1, result: { x: 1 } });
    expect(seen).toEqual([{ result: { x: 1 } }, 'complete']);
    expect(multiplexer.size).toBe(0);
  });

  it('fails with the error that its peer sent', () => {
    const { multiplexer, seen, ask } = made();
    ask('a');
    multiplexer.response({ jsonrpc: '2.0', id: 1, error: { code: -1, message: 'no', data: [1] } });
    expect(seen).toEqual([expect.any(RpcError)]);
    expect(seen[0]).toMatchObject({ code: -1, message: 'no', data: [1] });
  });

  it('says cancelled once, when it is unsubscribed; a late answer is dropped (CAN-02, CAN-12, CAN-13)', () => {
    const { multiplexer, sent, seen, ask } = made();
    const asked = ask('tools/call');
    asked.unsubscribe();
    asked.unsubscribe();
    expect(sent.slice(1)).toEqual([{ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } }]);
    multiplexer.response({ jsonrpc: '2.0', id: 1, result: {} });
    multiplexer.notification(progress(1, 1));
    expect(seen).toEqual([]);
    expect(multiplexer.size).toBe(0);
  });

  it.each(['initialize', 'server/discover'])('never cancels what opens a conversation: %s (LIFE-14)', (method) => {
    const { sent, ask, multiplexer } = made();
    ask(method).unsubscribe();
    expect(sent).toHaveLength(1);
    expect(multiplexer.size).toBe(0);
  });

  it('hands progress to its own request, without the token, and only while it rises (PRG-02, PRG-04, PRG-07)', () => {
    const { multiplexer, sent, seen, ask } = made();
    ask('tools/call', { _meta: { progressToken: 'mine' } });
    expect(sent[0]).toMatchObject({ params: { _meta: { progressToken: 1 } } });
    for (const done of [1, 1, 0.5, NaN, '9', 2]) multiplexer.notification(progress(1, done));
    multiplexer.notification(progress('mine', 9));
    multiplexer.notification(progress(2, 9));
    multiplexer.response({ jsonrpc: '2.0', id: 1, result: {} });
    multiplexer.notification(progress(1, 3));
    const told = [1, 2].map((done) => ({ method: 'notifications/progress', params: { progress: done } }));
    expect(seen).toEqual([...told, { result: {} }, 'complete']);
  });

  it('sorts what a subscription is told by the id of its request, number or string alike in neither (SUB-10)', () => {
    const { multiplexer, seen, ask } = made();
    ask('subscriptions/listen', { notifications: {} });
    const notice = (subscription: unknown) =>
      multiplexer.notification({
        jsonrpc: '2.0',
        method: 'notifications/tools/list_changed',
        params: { _meta: { [metaKeys.subscriptionId]: subscription, 'example.com/k': 1 } },
      });
    expect([notice('1'), notice(2), notice(1)]).toEqual([true, true, true]);
    expect(seen).toEqual([{ method: 'notifications/tools/list_changed', params: { _meta: { 'example.com/k': 1 } } }]);
  });

  it('leaves what belongs to no request to others', () => {
    const { multiplexer } = made();
    for (const params of [undefined, {}, { _meta: 5 }, { _meta: {} }])
      expect(
        multiplexer.notification({ jsonrpc: '2.0', method: 'notifications/message', ...(params && { params }) }),
      ).toBe(false);
  });

  it('lets the far side end a subscription by cancelling it, with its result before or after, and nothing else (CAN-06, CAN-07, AMB-01)', () => {
    const { multiplexer, seen, ask } = made();
    ask('tools/call');
    ask('subscriptions/listen');
    const cancelled = (requestId: unknown) =>
      multiplexer.notification({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
    expect(cancelled(1)).toBe(false);
    expect(cancelled(2)).toBe(true);
    multiplexer.response({ jsonrpc: '2.0', id: 2, result: { resultType: 'complete' } });
    expect(seen).toEqual([{ result: {} }, 'complete']);
    expect(multiplexer.size).toBe(1);
  });

  it('ends all that waits when the link is gone, and asks no more', () => {
    const { multiplexer, sent, seen, ask } = made();
    const one = ask('a');
    ask('b');
    multiplexer.close(new ConnectionClosed({ message: 'gone' }));
    multiplexer.close(new ConnectionClosed({ message: 'twice' }));
    ask('c');
    one.unsubscribe();
    expect(seen.map(String)).toEqual(Array(3).fill(expect.stringContaining('gone')));
    expect(sent).toHaveLength(2);
    expect(multiplexer.size).toBe(0);
  });

  it('completes a subscription, which has no answer to miss, and fails everything else (SUB-15)', () => {
    const { multiplexer, seen, ask } = made();
    ask('subscriptions/listen');
    ask('tools/call');
    multiplexer.close(new ConnectionClosed({ message: 'gone' }));
    expect(seen).toEqual(['complete', expect.any(ConnectionClosed)]);
  });

  it('takes of an error what an error holds, and nothing else (RPC-10, RPC-12)', () => {
    const { multiplexer, seen, ask } = made();
    ask('a');
    const error = { code: -1, message: 'no', stack: 'forged', name: 'forged', _tag: 'ConnectionClosed' };
    multiplexer.response({ jsonrpc: '2.0', id: 1, error });
    expect(seen).toMatchObject([{ _tag: 'RpcError', code: -1, message: 'no' }]);
    expect((seen[0] as Error).stack).not.toBe('forged');
  });

  it("takes an error without an id, or with none to speak of, for nobody's (BR-07, AMB-15)", () => {
    const { multiplexer, seen, ask } = made();
    ask('a');
    const error = { code: -32700, message: 'what?' };
    for (const message of [
      { jsonrpc: '2.0', id: null, error },
      { jsonrpc: '2.0', error },
    ]) {
      const told = tell(message);
      if (told.kind !== 'response') throw new Error(`it was taken for ${told.kind}`);
      multiplexer.response(told.frame);
    }
    expect(seen).toEqual([]);
    expect(multiplexer.size).toBe(1);
  });

  it('may be asked again from within an answer', () => {
    const { multiplexer, sent } = made();
    multiplexer
      .exchange({ method: 'a' }, {})
      .pipe(mergeMap(() => multiplexer.exchange({ method: 'b' }, {})))
      .subscribe();
    multiplexer.response({ jsonrpc: '2.0', id: 1, result: {} });
    expect(sent).toHaveLength(2);
    expect(multiplexer.size).toBe(1);
  });
});
