import { describe, expect, it } from 'vitest';
import { ConnectionClosed } from '../../lib/frame/errors.ts';
import type { Frame, JsonObject } from '../../lib/frame/frame.ts';
import { createOutbox, type OutboxOptions } from '../../lib/transport/outbox.ts';

const result = (id: number, value: JsonObject = {}): Frame => ({ jsonrpc: '2.0', id, result: value });
const notice = (method: string, params: JsonObject): Frame => ({ jsonrpc: '2.0', method, params });
const progress = (progressToken: string | number, done: number) =>
  notice('notifications/progress', { progressToken, progress: done });

const tick = () => Promise.resolve();

const setUp = (options: Partial<OutboxOptions> = {}) => {
  const writes: string[] = [];
  const errors: ConnectionClosed[] = [];
  const blocked: boolean[] = [];
  const unsendable: string[] = [];
  const sink = { writable: true };
  const outbox = createOutbox({
    write: (text) => {
      writes.push(text);
      return sink.writable;
    },
    onError: (error) => errors.push(error),
    onBlocked: (is) => blocked.push(is),
    onUnsendable: (frame, reason) => unsendable.push(`${'method' in frame ? frame.method : ''}: ${reason}`),
    ...options,
  });
  const sent = (): unknown[] =>
    writes
      .join('')
      .split('\n')
      .filter((line) => line !== '')
      .map((line): unknown => JSON.parse(line));
  /** Fills the sink with one frame, so that everything else queues. */
  const block = async () => {
    sink.writable = false;
    outbox.push(result(0));
    await tick();
    writes.length = 0;
  };
  const drain = () => {
    sink.writable = true;
    outbox.drained();
  };
  return { outbox, writes, errors, blocked, unsendable, sink, sent, block, drain };
};

describe('outbox', () => {
  it('writes once per microtask', async () => {
    const { outbox, writes } = setUp();
    outbox.push(result(1));
    outbox.push(result(2));
    expect(writes).toEqual([]);
    await tick();
    expect(writes).toEqual(['{"jsonrpc":"2.0","id":1,"result":{}}\n{"jsonrpc":"2.0","id":2,"result":{}}\n']);
    outbox.push(result(3));
    await tick();
    expect(writes).toHaveLength(2);
  });

  it('writes a batch as one line', async () => {
    const { outbox, writes } = setUp();
    outbox.push([result(1), result(2)]);
    await tick();
    expect(writes).toEqual(['[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":2,"result":{}}]\n']);
  });

  it('keeps all progress, in order, while the sink takes it', async () => {
    const { outbox, sent } = setUp();
    const frames = [progress('a', 1), progress('a', 2), result(1), progress('a', 3)];
    for (const frame of frames) outbox.push(frame);
    await tick();
    expect(sent()).toEqual(frames);
  });

  it('sends only the newest progress per token to a slow sink', async () => {
    const { outbox, writes, sent, block, drain } = setUp();
    await block();
    for (let done = 1; done <= 1_000; done += 1) {
      outbox.push(progress('a', done));
      outbox.push(progress(7, done));
    }
    outbox.push(result(1));
    outbox.push(progress('7', 5));
    await tick();
    expect(writes).toEqual([]);
    expect(outbox.pendingBytes).toBeLessThan(500);
    drain();
    expect(sent()).toEqual([progress('a', 1_000), progress(7, 1_000), result(1), progress('7', 5)]);
    expect(outbox.pendingBytes).toBe(0);
  });

  it('merges notices that say the same, and no others', async () => {
    const { outbox, sent, block, drain } = setUp();
    await block();
    const list = notice('notifications/tools/list_changed', {});
    const ofOther = notice('notifications/tools/list_changed', {
      _meta: { 'io.modelcontextprotocol/subscriptionId': 2 },
    });
    const updated = (uri: string) => notice('notifications/resources/updated', { uri });
    const log = notice('notifications/message', { level: 'info', data: 'same' });
    for (const frame of [list, updated('a:1'), log, ofOther, list, updated('a:2'), updated('a:1'), log])
      outbox.push(frame);
    drain();
    expect(sent()).toEqual([log, ofOther, list, updated('a:2'), updated('a:1'), log]);
  });

  it('never drops a result or a request', async () => {
    const { outbox, sent, block, drain } = setUp({ conflate: () => 'all the same' });
    await block();
    const batch = [result(1), result(2)];
    outbox.push(batch);
    outbox.push(batch);
    drain();
    expect(sent()).toEqual([batch, batch]);
    const other = setUp();
    await other.block();
    const frames: Frame[] = [result(1), result(1), { jsonrpc: '2.0', id: 1, method: 'notifications/progress' }];
    for (const frame of [...frames, ...frames]) other.outbox.push(frame);
    other.drain();
    expect(other.sent()).toEqual([...frames, ...frames]);
  });

  it('stops handing over when the sink is full again, and tells so', async () => {
    const { outbox, writes, blocked, sink, block } = setUp();
    await block();
    expect(blocked).toEqual([true]);
    for (let id = 0; id < 10; id += 1) outbox.push(result(id, { text: 'x'.repeat(40_000) }));
    outbox.drained();
    expect(writes).toHaveLength(1);
    expect(blocked).toEqual([true, true]);
    sink.writable = true;
    outbox.drained();
    expect(writes.length).toBeGreaterThan(1);
    expect(blocked).toEqual([true, true, false]);
  });

  it('does not let a burst of one microtask grow without bound', () => {
    const { outbox, writes, sent, sink, drain } = setUp();
    sink.writable = false;
    for (let done = 1; done <= 100_000; done += 1) outbox.push(progress('a', done));
    expect(writes).toHaveLength(1);
    expect(outbox.pendingBytes).toBeLessThan(500);
    drain();
    expect(sent().at(-1)).toEqual(progress('a', 100_000));
  });

  it('gives up a peer for whom too much is queued', async () => {
    const { outbox, writes, errors, block, drain } = setUp({ maxBytes: 10_000 });
    await block();
    for (let id = 0; id < 50; id += 1) outbox.push(result(id, { text: 'x'.repeat(1_000) }));
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(ConnectionClosed);
    expect(errors[0]?.message).toContain('10000');
    expect(outbox.pendingBytes).toBe(0);
    drain();
    await tick();
    expect(writes).toEqual([]);
  });

  it('hands everything over at the end', async () => {
    const { outbox, sent, block } = setUp();
    outbox.push(result(1));
    outbox.flush();
    expect(sent()).toEqual([result(1)]);
    await block();
    for (let id = 0; id < 10; id += 1) outbox.push(result(id, { text: 'x'.repeat(40_000) }));
    outbox.flush();
    expect(sent()).toHaveLength(10);
  });

  it('answers with an error what JSON cannot express', async () => {
    const { outbox, sent, unsendable } = setUp();
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    outbox.push(result(1, { big: 1n }));
    outbox.push([result(2, circle), result(3)]);
    outbox.push({ jsonrpc: '2.0', id: 4, method: 'tools/call', params: { big: 1n } });
    outbox.push(notice('notifications/message', { data: 1n }));
    outbox.push(result(5));
    await tick();
    expect(sent()).toMatchObject([
      { id: 1, error: { code: -32603 } },
      [
        { id: 2, error: { code: -32603 } },
        { id: 3, result: {} },
      ],
      { id: 5, result: {} },
    ]);
    expect(unsendable).toEqual([
      expect.stringMatching(/^tools\/call: .*BigInt/),
      expect.stringMatching(/^notifications/),
    ]);
  });

  it('takes nothing once it is closed', async () => {
    const { outbox, writes } = setUp();
    outbox.push(result(1));
    outbox.close();
    outbox.push(result(2));
    outbox.flush();
    await tick();
    expect(writes).toEqual([]);
  });
});
