/** Subscriptions since 2026-07-28, over streams that break. */
import { describe, expect, it, vi } from 'vitest';
import { ConnectionClosed, RpcError, type JsonObject } from 'rxmcp';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { virtualTime } from './clock.ts';
import { dial, discovered, far, follow, type Call } from './scripted.ts';

virtualTime();

const tagged = (call: Call, method: string, params: JsonObject = {}) => ({
  jsonrpc: '2.0',
  method,
  params: { ...params, _meta: { [metaKeys.subscriptionId]: call.id } },
});
const acknowledge = (call: Call): Call =>
  call
    .stream()
    .say(tagged(call, 'notifications/subscriptions/acknowledged', { notifications: { toolsListChanged: true } }));

const listening = (options: Parameters<typeof dial>[1] = {}) => {
  const server = far((call) => {
    if (call.asks === 'server/discover') call.answer(discovered());
    if (call.asks === 'tools/list') call.answer({ resultType: 'complete', tools: [], ttlMs: 0, cacheScope: 'private' });
  });
  const link = dial(server, options);
  const { seen, stop } = follow(link.client.listen({ toolsListChanged: true }));
  vi.advanceTimersByTime(0);
  const listens = () => server.calls.filter(({ asks }) => asks === 'subscriptions/listen');
  const latest = (): Call => {
    const call = listens().at(-1);
    if (call === undefined) throw new Error('nobody listens');
    return call;
  };
  return { server, link, seen, stop, listens, latest };
};
const methodsOf = (values: readonly { readonly method: string }[]) => values.map(({ method }) => method);
const acknowledged = 'notifications/subscriptions/acknowledged';
const changed = 'notifications/tools/list_changed';

describe('a subscription', () => {
  it('says what comes on its stream, without the id of the subscription, until it is closed (SUB-12)', () => {
    const { server, link, seen, stop, latest } = listening();
    const call = acknowledge(latest());
    call.say(tagged(call, changed, { _meta: { 'com.example/x': 1 } })).say(tagged(call, changed, { a: 1 }));
    expect(seen.values).toEqual([
      { method: acknowledged, params: { notifications: { toolsListChanged: true } } },
      { method: changed, params: {} },
      { method: changed, params: { a: 1 } },
    ]);
    stop();
    expect(call.aborted).toBe(true);
    expect(server.calls).toHaveLength(2);
    link.close();
  });

  it.each([
    ['breaks', (call: Call) => call.fail()],
    ['ends without a word', (call: Call) => call.end()],
  ])('that %s is asked for again, under another id, with the same filter (SUB-15, AMB-36)', (_, end) => {
    const { link, seen, listens, latest } = listening();
    end(acknowledge(latest()));
    vi.advanceTimersByTime(249);
    expect(listens()).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(latest().body).toMatchObject({ params: { notifications: { toolsListChanged: true } } });
    expect(latest().id).not.toBe(listens()[0]?.id);
    acknowledge(latest());
    expect(methodsOf(seen.values)).toEqual([acknowledged, acknowledged]);
    expect(seen.complete).toBeUndefined();
    link.close();
  });

  it('keeps a live list fresh over that: it is fetched again', () => {
    const { server, link, stop, latest } = listening();
    stop();
    const lists = follow(link.client.tools$);
    vi.advanceTimersByTime(0);
    acknowledge(latest());
    server.pump();
    acknowledge(latest().fail());
    vi.advanceTimersByTime(250);
    acknowledge(latest());
    vi.advanceTimersByTime(20);
    server.pump();
    expect(lists.seen.values).toEqual([[], []]);
    lists.stop();
    link.close();
  });

  it('waits longer each time, and as long as the server wants', () => {
    const { link, listens, latest } = listening();
    acknowledge(latest()).fail();
    vi.advanceTimersByTime(250);
    latest().fail();
    vi.advanceTimersByTime(499);
    expect(listens()).toHaveLength(2);
    vi.advanceTimersByTime(1);
    latest().whole(503, '', { 'retry-after': '10' });
    vi.advanceTimersByTime(9_999);
    expect(listens()).toHaveLength(3);
    vi.advanceTimersByTime(1);
    expect(listens()).toHaveLength(4);
    link.close();
  });

  it('that cannot be had again ends the connection, so that whoever holds that connects anew', () => {
    const { link, seen, listens, latest } = listening();
    const call = follow(link.client.call('x'));
    acknowledge(latest());
    for (let count = 0; count < 6; count += 1) {
      latest().fail();
      vi.advanceTimersByTime(30_000);
    }
    expect(listens()).toHaveLength(6);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(link.seen.error).toBeInstanceOf(ConnectionClosed);
    expect(call.seen.error).toBeInstanceOf(ConnectionClosed);
    call.stop();
  });

  it('that was never acknowledged fails alone', () => {
    const { link, seen, listens, latest } = listening();
    latest().fail();
    vi.advanceTimersByTime(60_000);
    expect(listens()).toHaveLength(1);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(link.seen.error).toBeUndefined();
    link.close();
  });

  it('that is refused by an error is not asked for again (AMB-35)', () => {
    const { link, seen, listens, latest } = listening();
    acknowledge(latest()).fail();
    vi.advanceTimersByTime(250);
    latest().refuse(404, -32601);
    vi.advanceTimersByTime(60_000);
    expect(seen.error).toBeInstanceOf(RpcError);
    expect(listens()).toHaveLength(2);
    link.close();
  });

  describe.each([
    ['its result', (call: Call) => call.result({ resultType: 'complete' }).end()],
    [
      'a cancellation (AMB-01)',
      (call: Call) => call.say(tagged(call, 'notifications/cancelled', { requestId: call.id })).end(),
    ],
  ])('that the server ends with %s', (_, end) => {
    it.each([
      ['after it has lasted', 5_000],
      ['at once', 0],
    ])('%s, goes on in another', (_, lastedMs) => {
      const { link, seen, listens, latest } = listening();
      acknowledge(latest());
      vi.advanceTimersByTime(lastedMs);
      end(latest());
      vi.advanceTimersByTime(249);
      expect(listens()).toHaveLength(1);
      vi.advanceTimersByTime(1);
      expect(listens()).toHaveLength(2);
      acknowledge(latest());
      expect(methodsOf(seen.values)).toEqual([acknowledged, acknowledged]);
      expect(seen.complete).toBeUndefined();
      link.close();
    });

    it('each time soon after it began, is asked for ever less often, and does not end the connection', () => {
      const { link, seen, listens, latest } = listening();
      const waits: number[] = [];
      for (let count = 0; count < 12; count += 1) {
        end(acknowledge(latest()));
        const [before, asked] = [listens().length, Date.now()];
        while (listens().length === before) vi.advanceTimersToNextTimer();
        waits.push(Date.now() - asked);
      }
      expect(waits.slice(0, 9)).toEqual([250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
      expect(seen.values).toHaveLength(12);
      expect(link.seen).not.toHaveProperty('error');
      // What lasts begins the schedule anew.
      acknowledge(latest());
      vi.advanceTimersByTime(5_000);
      end(latest());
      vi.advanceTimersByTime(250);
      expect(listens()).toHaveLength(14);
      link.close();
    });

    it('before acknowledging it again ends the connection, as often as the schedule allows', () => {
      const { link, seen, listens, latest } = listening();
      acknowledge(latest()).fail();
      for (let count = 0; count < 5; count += 1) {
        vi.advanceTimersByTime(30_000);
        end(latest().stream());
      }
      expect(listens()).toHaveLength(6);
      expect(seen.error).toBeInstanceOf(ConnectionClosed);
      expect(link.seen.error).toBeInstanceOf(ConnectionClosed);
    });

    it('without ever acknowledging it is over, and alone', () => {
      const { link, seen, listens, latest } = listening();
      end(latest().stream());
      vi.advanceTimersByTime(60_000);
      expect(seen).toEqual({ values: [], complete: true });
      expect(listens()).toHaveLength(1);
      expect(link.seen).not.toHaveProperty('error');
      link.close();
    });
  });

  it('keeps a live list fresh over a server that is replaced twice in a row', () => {
    const { server, link, stop, latest } = listening();
    stop();
    const lists = follow(link.client.tools$);
    vi.advanceTimersByTime(0);
    for (let count = 0; count < 3; count += 1) {
      acknowledge(latest());
      server.pump();
      if (count < 2) latest().result({ resultType: 'complete' }).end();
      vi.advanceTimersByTime(1_000);
    }
    server.pump();
    expect(lists.seen.values).toHaveLength(3);
    lists.stop();
    link.close();
  });

  it('is not waited for for ever: the head of its stream must come (SUB-05, SUB-17)', () => {
    const { link, seen, latest } = listening({ openMs: 2_000 });
    vi.advanceTimersByTime(1_999);
    expect(latest().aborted).toBe(false);
    vi.advanceTimersByTime(1);
    expect(latest().aborted).toBe(true);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    link.close();
  });

  it('has no other limit of time', () => {
    const { link, seen, latest } = listening({ openMs: 2_000, idleMs: 1_000, totalMs: 5_000 });
    const call = acknowledge(latest());
    vi.advanceTimersByTime(3_600_000);
    call.say(tagged(call, changed));
    expect(methodsOf(seen.values)).toEqual([acknowledged, changed]);
    link.close();
  });
});
