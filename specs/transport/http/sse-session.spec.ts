import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { ConnectionClosed, type Frame } from 'rxmcp';
import { SseSession } from '../../../lib/transport/http/sse-session.ts';
import { UnreadableResponse } from '../../../lib/frame/unreadable-response.ts';
import { fakeReply } from './fake-reply.ts';

const tick = () => Promise.resolve();

const result = (id: number, text = ''): Frame => ({ jsonrpc: '2.0', id, result: { text } });
const progress = (done: number): Frame => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: 1, progress: done },
});

/** A session whose far end is in the spec's hands. */
const setUp = (maxQueuedBytes?: number) => {
  const reply = fakeReply();
  const out = new Subject<Frame>();
  const heard: unknown[] = [];
  const ends: unknown[] = [];
  const over: SseSession[] = [];
  const session = new SseSession(reply, {
    opening: { method: 'GET', headers: {} },
    headers: {},
    maxQueuedBytes,
    onOver: (one) => over.push(one),
  });
  const subscription = session
    .channel('/message')(out)
    .subscribe({
      next: (value) => heard.push(value),
      error: (error: unknown) => ends.push(error),
      complete: () => ends.push('complete'),
    });
  const events = (): readonly EventSourceMessage[] => {
    const found: EventSourceMessage[] = [];
    createParser({ onEvent: (event) => found.push(event) }).feed(reply.text);
    return found;
  };
  /** All messages after the endpoint. */
  const messages = () =>
    events()
      .slice(1)
      .map(({ data }): unknown => JSON.parse(data));
  const comments = () => reply.text.split(': keep-alive\n\n').length - 1;
  return { reply, out, heard, ends, over, session, subscription, events, messages, comments };
};

describe('a session of the oldest HTTP transport', () => {
  it('says where to post to, then every frame as an event (SSE-02, SSE-04)', async () => {
    const { session, out, events, reply } = setUp();
    expect(reply).toMatchObject({ status: 200, state: 'open' });
    out.next(result(1, 'two\nlines'));
    out.next(result(2));
    await tick();
    expect(events().map(({ event, data }) => [event, data])).toEqual([
      ['endpoint', `/message?sessionId=${session.id}`],
      ['message', JSON.stringify(result(1, 'two\nlines'))],
      ['message', JSON.stringify(result(2))],
    ]);
    // What is said together leaves together.
    expect(reply.writes).toBe(2);
  });

  it('hands on what is posted', () => {
    const { session, heard } = setUp();
    session.receive(result(1));
    expect(heard).toEqual([result(1)]);
  });

  it('completes when its client hangs up, and writes nothing more', async () => {
    const { session, out, ends, over, reply } = setUp();
    out.next(result(1));
    session.closed();
    out.next(result(2));
    await tick();
    expect(ends).toEqual(['complete']);
    expect(over).toEqual([session]);
    expect(reply).toMatchObject({ writes: 1, state: 'open' });
    expect(out.observed).toBe(false);
    session.closed();
    session.receive(result(3));
    expect(over).toHaveLength(1);
  });

  it('ends its stream when it is unsubscribed, having written what there is', () => {
    const { session, out, subscription, messages, over, reply } = setUp();
    out.next(result(1));
    subscription.unsubscribe();
    expect(messages()).toEqual([result(1)]);
    expect(reply.state).toBe('ended');
    expect(over).toEqual([session]);
    session.drained();
    session.closed();
    expect(over).toHaveLength(1);
  });

  it('leaves out, for a slow reader, what is out of date, and no answer', async () => {
    const { session, out, messages, reply } = setUp();
    reply.writable = false;
    out.next(result(0));
    await tick();
    for (let done = 1; done <= 1_000; done += 1) {
      out.next(progress(done));
      if (done % 500 === 0) out.next(result(done));
    }
    await tick();
    expect(messages()).toEqual([result(0)]);
    reply.writable = true;
    session.drained();
    expect(messages()).toEqual([result(0), result(500), progress(1_000), result(1_000)]);
  });

  it('cuts off who leaves too much unread', async () => {
    const { session, out, ends, over, reply } = setUp(10_000);
    reply.writable = false;
    for (let id = 0; id < 100; id += 1) {
      out.next(result(id, 'x'.repeat(1_000)));
      await tick();
    }
    expect(reply.state).toBe('destroyed');
    expect(reply.text.length).toBeLessThan(3_000);
    expect(ends).toEqual([expect.any(ConnectionClosed)]);
    expect(over).toEqual([session]);
    expect(out.observed).toBe(false);
    session.closed();
    expect(over).toHaveLength(1);
  });

  it('gives a sign of life where there was no other, and none to whoever does not read', async () => {
    const { session, out, comments, events, reply } = setUp();
    session.keepAlive();
    expect(comments()).toBe(0);
    session.keepAlive();
    expect(comments()).toBe(1);
    out.next(result(1));
    await tick();
    session.keepAlive();
    expect(comments()).toBe(1);
    reply.writable = false;
    out.next(result(2));
    await tick();
    for (let times = 0; times < 5; times += 1) session.keepAlive();
    expect(comments()).toBe(1);
    reply.writable = true;
    session.drained();
    session.keepAlive();
    expect(comments()).toBe(2);
    expect(events()).toHaveLength(3);
  });

  it('says whose request cannot be sent', async () => {
    const { out, heard, messages } = setUp();
    out.next({ jsonrpc: '2.0', id: 1, method: 'roots/list', params: { big: 1n } });
    await tick();
    expect(messages()).toEqual([]);
    expect(heard).toEqual([expect.any(UnreadableResponse)]);
    expect(heard[0]).toMatchObject({ answers: 1 });
  });

  it('ends with what it was to say', () => {
    const { out, ends, reply } = setUp();
    const broken = new Error('broken');
    out.error(broken);
    expect(ends).toEqual([broken]);
    expect(reply.state).toBe('ended');
  });

  it('has an id of its own', () => {
    const ids = Array.from({ length: 100 }, () => setUp().session.id);
    expect(new Set(ids).size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
  });
});
