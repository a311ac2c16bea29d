import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { Misconfigured } from 'rxmcp';
import { LoginFailed } from 'rxmcp/auth';
import { tokenFile } from 'rxmcp/node';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { locking } from '../auth/token-store.contract.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import { run } from './program.ts';

leavesNothing();
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const secret = { token: 'secret' };

/** A path to keep tokens at, in a folder of its own. */
const somewhere = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'rxmcp-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'tokens.json');
};

const modeOf = (path: string): number => statSync(path).mode & 0o777;

const locksBeside = (path: string): readonly string[] =>
  readdirSync(dirname(path))
    .filter((name) => name.endsWith('.lock'))
    .map((name) => join(dirname(path), name));

describe('tokenFile', () => {
  it("is its owner's only, and so is a folder that it makes (AUTHC-47)", async () => {
    const path = join(dirname(somewhere()), 'a', 'b', 'tokens.json');
    const mask = process.umask(0);
    try {
      await tokenFile(path).set('a', secret);
    } finally {
      process.umask(mask);
    }
    expect([path, dirname(path), dirname(dirname(path))].map(modeOf)).toEqual([0o600, 0o700, 0o700]);
    await tokenFile(path).set('b', secret);
    expect(modeOf(path)).toBe(0o600);
  });

  it('makes nothing to look into', async () => {
    const path = join(dirname(somewhere()), 'a', 'tokens.json');
    expect(await tokenFile(path).get('a')).toBeUndefined();
    expect(readdirSync(dirname(dirname(path)))).toEqual([]);
  });

  it('leaves nothing beside it', async () => {
    const path = somewhere();
    const store = tokenFile(path);
    await Promise.all(['a', 'b', 'c'].map((key) => store.set(key, secret)));
    const lock = locking(store.lock('a'));
    await lock.until('held');
    expect(readdirSync(dirname(path))).toHaveLength(2);
    lock.subscription.unsubscribe();
    expect(readdirSync(dirname(path))).toEqual(['tokens.json']);
  });

  it('is replaced as a whole: whoever has begun to read sees what was there', async () => {
    const path = somewhere();
    await tokenFile(path).set('a', { token: 'old' });
    const before = openSync(path, 'r');
    try {
      await tokenFile(path).set('a', { token: 'new' });
      expect(readFileSync(before, 'utf8')).toContain('old');
      expect(readFileSync(path, 'utf8')).toContain('new');
    } finally {
      closeSync(before);
    }
  });

  it('is found from where the program was started', async () => {
    const path = somewhere();
    await tokenFile(relative(process.cwd(), path)).set('a', secret);
    expect(await tokenFile(path).get('a')).toEqual(secret);
  });

  it.each([0o640, 0o604, 0o620, 0o666])('refuses a file that others can get at: %o', async (mode) => {
    const path = somewhere();
    const store = tokenFile(path);
    await store.set('a', secret);
    chmodSync(path, mode);
    const text = readFileSync(path, 'utf8');
    for (const work of [store.get('a'), store.set('a', { token: 'new' })]) {
      const failure: unknown = await work.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Misconfigured);
      expect(failure).toMatchObject({ message: `${path} can be read by others; say "chmod 600"` });
    }
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  it.each(['', 'secret', '{"a":{"token":"secret"}', '[]', 'null', '"secret"', '{"a":"secret"}', '{"a":[]}'])(
    'neither uses nor loses nor repeats what it does not understand: %s',
    async (text) => {
      const path = somewhere();
      writeFileSync(path, text, { mode: 0o600 });
      const store = tokenFile(path);
      for (const work of [store.get('a'), store.set('b', {}), store.set('a', undefined)]) {
        const failure: unknown = await work.catch((error: unknown) => error);
        expect(failure).toBeInstanceOf(Misconfigured);
        expect(failure).toMatchObject({ message: expect.stringContaining(path) });
        expect(failure).toMatchObject({ message: expect.not.stringContaining('secret') });
      }
      expect(readFileSync(path, 'utf8')).toBe(text);
      expect(readdirSync(dirname(path))).toEqual(['tokens.json']);
    },
  );

  it('says where it can neither read nor write', async () => {
    const path = somewhere();
    mkdirSync(path);
    await expect(tokenFile(path).get('a')).rejects.toThrow(`${path} is no file`);
    writeFileSync(join(path, 'file'), '{}', { mode: 0o600 });
    const below = tokenFile(join(path, 'file', 'tokens.json'));
    await expect(below.set('a', secret)).rejects.toBeInstanceOf(Misconfigured);
    const lock = locking(below.lock('a'));
    await lock.until('error');
    expect(lock.log.error).toBeInstanceOf(Misconfigured);
  });

  it('follows a link of its own, which stays, and locks what it leads to', async () => {
    const path = somewhere();
    const link = `${path}.link`;
    await tokenFile(path).set('a', secret);
    symlinkSync('tokens.json', link);
    await tokenFile(link).set('b', secret);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(await tokenFile(path).get('b')).toEqual(secret);
    const [first, second] = [locking(tokenFile(link).lock('a')), locking(tokenFile(path).lock('a'))];
    await Promise.race([first.until('held'), second.until('held')]);
    await Promise.race([first.until('waiting'), second.until('waiting')]);
    first.subscription.unsubscribe();
    second.subscription.unsubscribe();
  });

  it("follows no link of somebody else's", async () => {
    const path = somewhere();
    const link = `${path}.link`;
    await tokenFile(path).set('a', secret);
    symlinkSync(path, link);
    // Either it is, or we are, somebody else.
    if (process.getuid?.() === 0) lchownSync(link, 12345, 12345);
    else vi.spyOn(process, 'getuid').mockReturnValue(12345);
    const store = tokenFile(link);
    for (const work of [store.get('a'), store.set('a', {})]) await expect(work).rejects.toThrow('somebody else');
    const lock = locking(store.lock('a'));
    await lock.until('error');
    expect(lock.log.error).toBeInstanceOf(Misconfigured);
    expect(readFileSync(path, 'utf8')).toContain('secret');
  });
});

describe('a lock of tokenFile', () => {
  it('keeps processes apart, so that none undoes what another did', async () => {
    const path = somewhere();
    const programs = [1, 2].map(() => run('token-holder.ts', 'count', path, '15'));
    for (const { ended, stderr } of programs) expect([await ended, stderr()]).toEqual([{ code: 0, signal: null }, '']);
    expect(await tokenFile(path).get('a')).toEqual({ count: 30 });
  });

  it('is had once another process gives it back', async () => {
    const path = somewhere();
    const holder = run('token-holder.ts', 'hold', path);
    await holder.says(/held/);
    const lock = locking(tokenFile(path).lock('a'));
    await lock.until('waiting');
    expect(lock.states).toEqual(['waiting']);
    holder.child.stdin.write('release\n');
    await lock.until('held');
    const next = run('token-holder.ts', 'hold', path);
    await next.says(/waiting/);
    expect(next.stdout()).not.toMatch(/held/);
    lock.subscription.unsubscribe();
    await next.says(/held/);
    for (const { child } of [holder, next]) child.stdin.end();
    await Promise.all([holder.ended, next.ended]);
  });

  it('is taken over from a process that was killed, once nothing was heard of it for 5 s', async () => {
    const path = somewhere();
    const holder = run('token-holder.ts', 'hold', path);
    await holder.says(/held/);
    holder.child.kill('SIGKILL');
    await holder.ended;
    const lock = locking(tokenFile(path).lock('a'));
    await lock.until('waiting');
    const [left = ''] = locksBeside(path);
    const ago = (ms: number): Date => new Date(Date.now() - ms);
    utimesSync(left, ago(5_001), ago(5_001));
    await lock.until('held');
    expect(lock.states).toEqual(['waiting', 'held']);
    lock.subscription.unsubscribe();
    expect(locksBeside(path)).toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('is given back by a process that ends by %s', async (signal) => {
    const path = somewhere();
    const holder = run('token-holder.ts', 'hold', path);
    await holder.says(/held/);
    holder.child.kill(signal);
    expect(await holder.ended).toEqual({ code: null, signal });
    expect(locksBeside(path)).toEqual([]);
  });

  it.each([
    ['exits', 'exit\n', 3],
    ['has nothing left to do', '', 0],
  ])('is given back by a process that %s', async (_, word, code) => {
    const path = somewhere();
    const holder = run('token-holder.ts', 'hold', path);
    await holder.says(/held/);
    holder.child.stdin.end(word);
    expect(await holder.ended).toEqual({ code, signal: null });
    expect(locksBeside(path)).toEqual([]);
  });

  it('does not keep a process with servers from being ended', async () => {
    const holder = run('token-holder.ts', 'spawn', somewhere());
    await holder.says(/held/);
    holder.child.kill('SIGINT');
    expect(await holder.ended).toEqual({ code: null, signal: 'SIGINT' });
  });

  it('does not end a process that handles its signals', async () => {
    const holder = run('token-holder.ts', 'patient', somewhere());
    await holder.says(/held/);
    holder.child.kill('SIGTERM');
    await holder.says(/finished/);
    holder.child.stdin.write('exit\n');
    expect(await holder.ended).toEqual({ code: 3, signal: null });
  });

  it('listens to signals for as long as it is held, and not longer', async () => {
    const counts = () => ['exit', 'SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'].map((name) => process.listenerCount(name));
    const before = counts();
    const store = tokenFile(somewhere());
    const locks = ['a', 'b'].map((key) => locking(store.lock(key)));
    for (const lock of locks) await lock.until('held');
    expect(counts()).toEqual(before.map((count, index) => (index < 4 ? count + 1 : count)));
    for (const lock of locks) lock.subscription.unsubscribe();
    expect(counts()).toEqual(before);
  });

  it('fails once somebody else has taken it', async () => {
    const path = somewhere();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const lock = locking(tokenFile(path).lock('a'));
    await lock.until('held');
    const [folder = ''] = locksBeside(path);
    rmdirSync(folder);
    mkdirSync(folder);
    utimesSync(folder, 1, 1);
    vi.advanceTimersByTime(1_000);
    await lock.until('error');
    expect(lock.log.error).toBeInstanceOf(LoginFailed);
    expect(lock.log.error).toMatchObject({ stage: 'token', passing: true });
    // It is somebody else's now.
    expect(locksBeside(path)).toEqual([folder]);
    expect(process.listenerCount('SIGHUP')).toBe(0);
  });
});
