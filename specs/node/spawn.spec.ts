import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { filter, NEVER, Subject, take, toArray, type Observable } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import type { Channel } from '../../lib/exchange/exchange.ts';
import type { Frame, RequestFrame } from '../../lib/frame/frame.ts';
import { ProcessExited } from '../../lib/node/process-exited.ts';
import { spawn, type SpawnOptions } from '../../lib/node/spawn.ts';
import { next } from './next.ts';
import { fixture, run } from './program.ts';

const request = (id: number, method = 'x', params: RequestFrame['params'] = {}): RequestFrame => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

const echo = (flags: readonly string[] = [], options?: SpawnOptions) =>
  spawn(process.execPath, [fixture('echo.mjs'), ...flags], options);

/** Subscribes, and lets what comes be awaited. */
const open = (channel: Channel, outbound: Observable<Frame> = NEVER) => {
  const values = new Subject<unknown>();
  const log = { completed: false, error: undefined as unknown };
  let done = () => {};
  const ended = new Promise<void>((resolve) => (done = resolve));
  const subscription = channel(outbound).subscribe({
    next: (value) => values.next(value),
    error: (error: unknown) => {
      log.error = error;
      done();
    },
    complete: () => {
      log.completed = true;
      done();
    },
  });
  return { values, log, ended, subscription };
};

/** A channel to `echo.mjs` that is ready for requests. */
const talk = async (flags: readonly string[] = [], options?: SpawnOptions) => {
  const channel = echo(flags, options);
  const out = new Subject<Frame>();
  const ready = next(channel.stderr$.pipe(filter((line) => line === 'ready')));
  const opened = open(channel, out);
  await ready;
  const ask = async (frame: RequestFrame): Promise<unknown> => {
    const answer = next(opened.values);
    out.next(frame);
    return answer;
  };
  return { channel, out, ask, ...opened };
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A port that processes connect to: the connection closes when they are gone, whoever has to collect them. */
const lifeline = async (): Promise<{ port: number; caught: Promise<Socket> }> => {
  const server = createServer().listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const caught = once(server, 'connection').then(([socket]: Socket[]) => {
    if (socket === undefined) throw new Error('no socket');
    return socket.on('error', () => undefined).resume();
  });
  return { port: address.port, caught };
};

const cut = async (socket: Socket) => {
  if (!socket.closed) await once(socket, 'close');
};

const handles = () => process.getActiveResourcesInfo().filter((name) => /^(Process|Pipe)/.test(name));

const hooks = () => ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP'].map((name) => process.listenerCount(name as 'exit'));

describe('spawn', () => {
  it('talks to a process, and leaves nothing behind', async () => {
    const before = hooks();
    const handlesBefore = handles();
    const { channel, ask, subscription, out } = await talk();
    expect(hooks()).toEqual(before.map((count) => count + 1));
    expect(await ask(request(1, 'x', { a: 'é\n' }))).toEqual({ jsonrpc: '2.0', id: 1, result: { a: 'é\n' } });
    const exit = next(channel.exit$);
    subscription.unsubscribe();
    expect(out.observed).toBe(false);
    await channel.closed();
    expect(await exit).toEqual({ code: 0, signal: null, expected: true });
    expect(hooks()).toEqual(before);
    // Node takes a turn of the loop to let go of a handle.
    while (handles().length > handlesBefore.length) await new Promise((resolve) => setImmediate(resolve));
    expect(handles()).toEqual(handlesBefore);
  });

  it('starts nothing before it is subscribed, and one process per subscription', async () => {
    const channel = echo();
    await channel.closed();
    const lines = next(channel.stderr$.pipe(take(2), toArray()));
    const [first, second] = [open(channel), open(channel)];
    expect(await lines).toEqual(['ready', 'ready']);
    first.subscription.unsubscribe();
    second.subscription.unsubscribe();
    await channel.closed();
  });

  it('writes what is queued before it ends the process', async () => {
    const { channel, out, subscription } = await talk();
    const said = next(channel.stderr$.pipe(filter((line) => line === 'about to exit')));
    out.next(request(1, 'exit', { code: 0 }));
    subscription.unsubscribe();
    await said;
    await channel.closed();
  });

  it('completes when the process exits with code 0', async () => {
    const { channel, out, ended, log } = await talk();
    const exit = next(channel.exit$);
    out.next(request(1, 'exit', { code: 0 }));
    await ended;
    expect(log).toEqual({ completed: true, error: undefined });
    expect(await exit).toEqual({ code: 0, signal: null, expected: false });
    expect(out.observed).toBe(false);
    await channel.closed();
  });

  it('fails with the exit code and the end of stderr', async () => {
    const { channel, out, ended, log } = await talk();
    out.next(request(1, 'exit', { code: 3 }));
    await ended;
    expect(log.error).toBeInstanceOf(ProcessExited);
    expect(log.error).toMatchObject({ code: 3, signal: null, stderr: 'ready\nabout to exit' });
    expect(log.error).toMatchObject({ message: `${basename(process.execPath)} exited with code 3` });
    await channel.closed();
  });

  it('fails with the signal that ended the process', async () => {
    const { out, ended, log } = await talk();
    out.next(request(1, 'die'));
    await ended;
    expect(log.error).toMatchObject({ _tag: 'ProcessExited', code: null, signal: 'SIGKILL' });
  });

  it('passes on no half message, and fails, when the process dies in the middle of one', async () => {
    const { out, values, ended, log } = await talk();
    const got: unknown[] = [];
    values.subscribe((value) => got.push(value));
    out.next(request(1, 'half'));
    await ended;
    expect(got).toEqual([]);
    expect(log.error).toMatchObject({ _tag: 'ProcessExited', code: 1 });
  });

  it('keeps 2 KB of stderr', async () => {
    const channel = spawn(process.execPath, [
      '-e',
      'console.error("x".repeat(5000)); console.error("last"); process.exit(1)',
    ]);
    const { ended, log } = open(channel);
    await ended;
    const { stderr } = log.error as ProcessExited;
    expect(stderr.length).toBeLessThanOrEqual(2048);
    expect(stderr).toMatch(/last$/);
  });

  it('passes stray lines aside, and does not take them for messages', async () => {
    const channel = echo(['--noise']);
    const stray = next(channel.stray$.pipe(take(3), toArray()));
    const out = new Subject<Frame>();
    const { values, subscription, log } = open(channel, out);
    const first = next(values);
    out.next(request(1));
    expect(await stray).toEqual(['starting up', '{"half": ', 'plain text']);
    expect(await first).toMatchObject({ id: 1 });
    expect(log).toEqual({ completed: false, error: undefined });
    subscription.unsubscribe();
    await channel.closed();
  });

  it('fails, naming the command, when there is no such program', async () => {
    const before = hooks();
    const channel = spawn('no-such-program-here', ['x']);
    const { ended, log } = open(channel);
    await ended;
    expect(log.error).toMatchObject({
      _tag: 'ConnectionClosed',
      message: expect.stringContaining('no-such-program-here'),
    });
    expect(log.error).toMatchObject({ unopened: true, cause: { code: 'ENOENT' } });
    await channel.closed();
    const elsewhere = open(echo([], { cwd: '/no/such/folder' }));
    await elsewhere.ended;
    expect(elsewhere.log.error).toMatchObject({
      message: `could not start ${process.execPath} in its folder: ENOENT`,
      unopened: true,
    });
    const malformed = open(echo([], { cwd: '/no/such\0folder' }));
    await malformed.ended;
    expect(malformed.log.error).toMatchObject({ message: expect.not.stringContaining('/no/such'), unopened: true });
    expect(hooks()).toEqual(before);
  });

  it('ends what ignores its closed stdin', async () => {
    const { channel, subscription } = await talk(['--ignore-eof'], { closeGraceMs: 20 });
    const exit = next(channel.exit$);
    subscription.unsubscribe();
    await channel.closed();
    expect(await exit).toEqual({ code: null, signal: 'SIGTERM', expected: true });
  });

  it('kills what ignores SIGTERM', async () => {
    const { channel, subscription } = await talk(['--ignore-eof', '--ignore-term'], {
      closeGraceMs: 20,
      termGraceMs: 60,
    });
    const exit = next(channel.exit$);
    const heard = next(channel.stderr$);
    subscription.unsubscribe();
    await channel.closed();
    expect(await heard).toBe('TERM ignored');
    expect(await exit).toEqual({ code: null, signal: 'SIGKILL', expected: true });
  });

  it.each([
    ['together with a process that stays', ['--ignore-eof']],
    ['left behind by a process that goes', []],
    ['that ignore SIGTERM', ['--stubborn-child']],
  ])('ends grandchildren, %s', async (_, flags) => {
    const { port, caught } = await lifeline();
    const { channel, subscription } = await talk([`--child-lifeline=${port}`, ...flags], {
      closeGraceMs: 50,
      termGraceMs: 60,
    });
    const grandchild = await caught;
    subscription.unsubscribe();
    await cut(grandchild);
    await channel.closed();
  });

  it('ends grandchildren of a process that exits unasked', async () => {
    const { port, caught } = await lifeline();
    const { channel, out, ended, log } = await talk([`--child-lifeline=${port}`]);
    const grandchild = await caught;
    out.next(request(1, 'exit', { code: 4 }));
    await cut(grandchild);
    await ended;
    expect(log.error).toMatchObject({ code: 4 });
    await channel.closed();
  });

  it('ends a process that closes its stdout', async () => {
    const { channel, out, ended, log } = await talk(['--ignore-eof'], { closeGraceMs: 20 });
    const exit = next(channel.exit$);
    out.next(request(1, 'close-stdout'));
    await ended;
    expect(log).toEqual({ completed: true, error: undefined });
    expect(await exit).toMatchObject({ expected: true });
    await channel.closed();
  });

  it('survives a process that is gone while it is written to', async () => {
    const { channel, out, ended, log } = await talk();
    out.next(request(1, 'die'));
    const exit = next(channel.exit$);
    const text = 'x'.repeat(1_000_000);
    for (let id = 2; id < 10; id += 1) out.next(request(id, 'x', { text }));
    await ended;
    expect(log.error).toMatchObject({ _tag: 'ProcessExited', signal: 'SIGKILL' });
    expect(await exit).toMatchObject({ expected: false });
  });

  it('hands on a safe environment, and a folder', async () => {
    process.env['RXMCP_SECRET'] = 'secret';
    try {
      const cwd = tmpdir();
      const own = await talk([], { env: { TOKEN: 't' }, cwd });
      const answer = (await own.ask(request(1, 'env'))) as { result: { env: Record<string, string>; cwd: string } };
      expect(answer.result.env).toMatchObject({ TOKEN: 't', PATH: process.env['PATH'] });
      expect(answer.result.env).not.toHaveProperty('RXMCP_SECRET');
      expect(answer.result.cwd).toBe(cwd);
      own.subscription.unsubscribe();
      const all = await talk([], { inheritEnv: true });
      expect(await all.ask(request(1, 'env'))).toMatchObject({ result: { env: { RXMCP_SECRET: 'secret' } } });
      all.subscription.unsubscribe();
      await Promise.all([own.channel.closed(), all.channel.closed()]);
    } finally {
      delete process.env['RXMCP_SECRET'];
    }
  });

  it.each([
    ['exits', [], { code: 7, signal: null }],
    ['is ended by a signal', ['--wait'], { code: null, signal: 'SIGTERM' }],
  ] as const)('does not outlive our own process, when that %s', async (_, flags, expected) => {
    const { port, caught } = await lifeline();
    const program = run('host.ts', String(port), ...flags);
    const child = await caught;
    if (expected.signal !== null) program.child.kill(expected.signal);
    expect(await program.ended).toEqual(expected);
    await cut(child);
  });
});
