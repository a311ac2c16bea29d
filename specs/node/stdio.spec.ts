import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { map, mergeMap, NEVER, Subject, type Observable } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Channel } from '../../lib/exchange/exchange.ts';
import { ConnectionClosed, Misconfigured } from '../../lib/frame/errors.ts';
import type { Frame } from '../../lib/frame/frame.ts';
import { stdio } from '../../lib/node/stdio.ts';
import { run } from './program.ts';

const call = (id: number, params: object = {}, method = 'x') =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Those who listen without us. */
const signalled = process.listeners('SIGTERM');

const streams = () => ({ input: new PassThrough(), output: new PassThrough(), errors: new PassThrough() });

const open = (channel$: Observable<Channel>, outbound: Observable<Frame>) => {
  const log = { values: [] as unknown[], completed: false, error: undefined as unknown };
  const subscription = channel$.pipe(mergeMap((channel) => channel(outbound))).subscribe({
    next: (value) => log.values.push(value),
    error: (error: unknown) => (log.error = error),
    complete: () => (log.completed = true),
  });
  return { log, subscription };
};

describe('stdio', () => {
  it('serves the streams that it is given, and puts everything back', async () => {
    const { input, output, errors } = streams();
    const out = new Subject<Frame>();
    const signals = process.listenerCount('SIGTERM');
    const { log } = open(stdio({ input, output, errors }), out);
    expect(process.listenerCount('SIGTERM')).toBe(signals + 1);
    input.end(call(1));
    await turn();
    output.write('stray\n');
    out.next({ jsonrpc: '2.0', id: 1, result: {} });
    out.complete();
    await turn();
    expect(log).toMatchObject({ values: [{ id: 1 }], completed: true });
    expect(String(output.read())).toBe('{"jsonrpc":"2.0","id":1,"result":{}}\n');
    expect(String(errors.read())).toMatch(/^rxmcp: .*\nstray\n$/);
    expect(process.listenerCount('SIGTERM')).toBe(signals);
    expect([errors.listenerCount('error'), Object.hasOwn(output, 'write')]).toEqual([0, false]);
  });

  it('does not let two serve one stdout', () => {
    const { input, output, errors } = streams();
    const first = stdio({ input, output, errors }).subscribe();
    expect(open(stdio({ input, output, errors }), NEVER).log.error).toBeInstanceOf(Misconfigured);
    first.unsubscribe();
    const second = open(stdio({ input, output, errors }), NEVER);
    expect(second.log.error).toBeUndefined();
    second.subscription.unsubscribe();
  });

  it('writes what is queued when it is unsubscribed', () => {
    const { input, output, errors } = streams();
    const out = new Subject<Frame>();
    const { subscription } = open(stdio({ input, output, errors }), out);
    out.next({ jsonrpc: '2.0', id: 1, result: {} });
    subscription.unsubscribe();
    expect(String(output.read())).toContain('"id":1');
    expect(out.observed).toBe(false);
  });

  it('fails when its client does not read', async () => {
    const { input, errors } = streams();
    const output = new PassThrough({ highWaterMark: 1 });
    const out = new Subject<Frame>();
    const { log } = open(stdio({ input, output, errors, maxQueuedBytes: 1_000 }), out);
    for (let id = 0; id < 100; id += 1) {
      out.next({ jsonrpc: '2.0', id, result: { text: 'x'.repeat(100) } });
      await turn();
    }
    expect(log.error).toBeInstanceOf(ConnectionClosed);
  });

  it('takes no flushMs, for it has none', () => {
    // @ts-expect-error a standard stream is not closed, so nothing has to be waited for
    void stdio({ flushMs: 1 });
  });

  it('emits one channel', () => {
    const { input, output, errors } = streams();
    const channels: unknown[] = [];
    stdio({ input, output, errors })
      .pipe(map((channel) => channels.push(channel)))
      .subscribe()
      .unsubscribe();
    expect(channels).toHaveLength(1);
  });
});

describe('a server over stdio', () => {
  it('answers what it was asked before the end of its input, then exits by itself with nothing left', async () => {
    const server = run('serve.ts');
    server.child.stdin.end(call(1, { delay: 100 }) + call(2));
    expect(await server.ended).toEqual({ code: 0, signal: null });
    const [first, second, ...rest] = server.stdout().trimEnd().split('\n');
    expect([first, second].map((line) => JSON.parse(line ?? '') as unknown)).toMatchObject([{ id: 2 }, { id: 1 }]);
    // stdout is everybody's again.
    expect(rest).toEqual(['not json']);
    expect(server.stderr()).toContain('left over: nothing');
  });

  it('keeps stdout to the protocol', async () => {
    const server = run('serve.ts');
    server.child.stdin.write(call(1, { text: 'chatter' }, 'log'));
    await server.says(/"id":1/);
    server.child.stdin.write(call(2, { text: 'more chatter' }, 'log'));
    await server.says(/"id":2/);
    expect(server.stdout()).not.toMatch(/^chatter/m);
    expect(server.stderr()).toMatch(/^rxmcp: stdout .*\nchatter\nmore chatter\n/m);
    server.child.stdin.end();
    await server.ended;
    expect(server.stderr().match(/rxmcp:/g)).toHaveLength(1);
  });

  it('exits by itself when its stdout is gone, while its input stays open', async () => {
    const server = run('serve.ts');
    await server.says(/serving/);
    server.child.stdout.destroy();
    server.child.stdin.write(call(1));
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.stderr()).not.toContain('failed');
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('still answers what it was asked before %s, then exits', async (signal) => {
    const server = run('slow.ts');
    await server.says(/serving/);
    const initialize = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    server.child.stdin.write(call(1, initialize, 'initialize') + call(2, { name: 'slow' }, 'tools/call'));
    await server.says(/called/);
    const started = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 100));
    server.child.kill(signal);
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.stdout()).toContain('late answer');
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it.each(['SIGTERM', 'SIGINT', 'the end of its input'])(
    'exits after %s although nobody reads its answers',
    async (end) => {
      const server = run('serve.ts');
      await server.says(/serving/);
      server.child.stdout.pause();
      server.child.stdin.on('error', () => undefined);
      const text = 'x'.repeat(100_000);
      for (let id = 1; id <= 40; id += 1) server.child.stdin.write(call(id, { text }));
      await new Promise((resolve) => setTimeout(resolve, 300));
      const started = performance.now();
      if (end.startsWith('SIG')) server.child.kill(end as NodeJS.Signals);
      else server.child.stdin.end();
      const exited = once(server.child, 'exit');
      expect(await exited).toEqual([0, null]);
      expect(performance.now() - started).toBeLessThan(5_000);
      server.child.stdout.resume();
      await server.ended;
    },
  );

  it('does not wait for work at a second signal', async () => {
    const server = run('serve.ts', '--tell');
    await server.says(/serving/);
    server.child.stdin.write(call(1, { delay: 60_000 }) + call(2));
    await server.says(/"id":2/);
    server.child.kill('SIGTERM');
    await server.says(/signalled/);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('ends by itself after a signal, even where outbound never does', async () => {
    const { input, output, errors } = streams();
    const out = new Subject<Frame>();
    const { log } = open(stdio({ input, output, errors, lingerMs: 20 }), out);
    process.emit('SIGTERM', 'SIGTERM');
    expect(process.listeners('SIGTERM')).toEqual(signalled);
    out.next({ jsonrpc: '2.0', id: 1, result: {} });
    while (!log.completed) await turn();
    expect(String(output.read())).toContain('"id":1');
    expect(out.observed).toBe(false);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('ends at %s, and exits by itself', async (signal) => {
    const server = run('serve.ts');
    await server.says(/serving/);
    server.child.kill(signal);
    expect(await server.ended).toEqual({ code: 0, signal: null });
    expect(server.stderr()).toContain('left over: nothing');
  });

  it('leaves a second signal to its usual effect', async () => {
    const server = run('serve.ts', '--stay');
    await server.says(/serving/);
    server.child.kill('SIGTERM');
    await server.says(/left over: nothing/);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });

  it('does not wait for answers once a signal has come', async () => {
    const server = run('serve.ts', '--tell');
    await server.says(/serving/);
    server.child.stdin.end(call(1, { delay: 60_000 }) + call(2));
    await server.says(/"id":2/);
    server.child.kill('SIGTERM');
    await server.says(/signalled/);
    server.child.kill('SIGTERM');
    expect(await server.ended).toEqual({ code: null, signal: 'SIGTERM' });
  });
});
