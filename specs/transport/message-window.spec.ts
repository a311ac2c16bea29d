import { NEVER, of, Subject } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { messageWindow, Misconfigured, open, serve, server, tool, type Frame } from '../../lib/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { arrive, twoWindows } from './windows.ts';

leavesNothing();

const page = 'https://page.example';
const tools = 'https://tools.example';
const frame = (n: number): Frame => ({ jsonrpc: '2.0', method: `m${n}` });
const goodbye = { type: 'rxmcp/goodbye' };

const start = () => {
  const [host, far] = twoWindows(page, tools);
  const out = new Subject<Frame>();
  const seen: unknown[] = [];
  const add = vi.spyOn(host.here, 'addEventListener');
  const remove = vi.spyOn(host.here, 'removeEventListener');
  const subscription = messageWindow(host.there, { origin: tools, here: host.here })(out).subscribe({
    next: (value) => seen.push(value),
    complete: () => seen.push('complete'),
  });
  const listeners = () => add.mock.calls.length - remove.mock.calls.length;
  return { host, far, out, seen, subscription, listeners };
};

describe('a channel to a window', () => {
  it.each(['2026-07-28', '2025-11-25'] as const)('carries a conversation, at %s', async (revision) => {
    const [host, far] = twoWindows(page, tools);
    const events: string[] = [];
    serve(
      server(
        { name: 's', version: '1' },
        tool('hello', {}, () => 'Hello'),
      ),
      of(messageWindow(far.there, { origin: page, here: far.here })),
    ).subscribe(({ type }) => events.push(type));
    const client = await open(messageWindow(host.there, { origin: tools, here: host.here }), { revisions: [revision] });
    expect(await client.callTool('hello', {})).toMatchObject({ content: [{ text: 'Hello' }] });
    await client.close();
    expect(events).toEqual(['connected', 'disconnected']);
  });

  it('hears that window from that origin, and nobody else', () => {
    const { host, seen, subscription } = start();
    const source = host.there;
    const elsewhere = { data: frame(1), origin: tools, source: {} };
    for (const heard of [
      elsewhere,
      { ...elsewhere, source: null },
      { ...elsewhere, source, origin: 'https://evil.example' },
      { ...elsewhere, source, origin: 'null' },
      { ...elsewhere, source, origin: '' },
      { data: goodbye, origin: 'https://evil.example', source },
    ]) {
      arrive(host.here, heard);
      arrive(host.here, heard, 'messageerror');
    }
    expect(seen).toEqual([]);
    arrive(host.here, { data: frame(2), origin: tools, source });
    expect(seen).toEqual([frame(2)]);
    subscription.unsubscribe();
  });

  it('leaves alone what is said there about something else, and refuses what is malformed', () => {
    const { host, seen, subscription } = start();
    const say = (data: unknown, type?: string): void =>
      arrive(host.here, { data, origin: tools, source: host.there }, type);
    for (const data of ['ready', null, { type: 'resize', height: 5 }, new Map(), 5n]) say(data);
    expect(seen).toEqual([]);
    say({ jsonrpc: '2.0', id: 1, method: 'm', params: new Map() });
    say(null, 'messageerror');
    expect(seen).toMatchObject([
      { code: -32600, id: 1 },
      { code: -32700, id: undefined },
    ]);
    subscription.unsubscribe();
  });

  it('posts to that origin only: a window that has gone elsewhere gets nothing', async () => {
    const [host, far] = twoWindows(page, 'https://elsewhere.example');
    const heard = vi.fn();
    far.here.addEventListener('message', heard);
    const post = vi.spyOn(host.there, 'postMessage');
    messageWindow(host.there, { origin: tools, here: host.here })(of(frame(1)))
      .subscribe()
      .unsubscribe();
    await Promise.resolve();
    expect(post.mock.calls.map(([message, options]) => [message, options])).toEqual([
      [frame(1), { targetOrigin: tools }],
      [goodbye, { targetOrigin: tools }],
    ]);
    expect(heard).not.toHaveBeenCalled();
  });

  it('ends by a goodbye of either side, and keeps no listener', async () => {
    const told = start();
    told.far.there.postMessage(goodbye, { targetOrigin: page });
    await Promise.resolve();
    expect(told.seen).toEqual(['complete']);
    const left = start();
    left.subscription.unsubscribe();
    expect([told.listeners(), left.listeners()]).toEqual([0, 0]);
    expect([told.out.observed, left.out.observed]).toEqual([false, false]);
  });

  it.each(['*', '/', 'null', `${tools}/path`])('is not made to %j (SEC-11)', (origin) => {
    const [host] = twoWindows(page, tools);
    expect(() => messageWindow(host.there, { origin })(NEVER)).toThrow(Misconfigured);
  });
});
