/** Locks between processes: folders that whoever holds them keeps fresh. Those of the dead go stale. */
import { rmdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Observable } from 'rxjs';
import { Misconfigured } from '../frame/errors.ts';
import { LoginFailed } from '../frame/login-failed.ts';

/** How long after its holder was last heard of a lock may be taken, and how often holders are heard of; in milliseconds. */
const staleMs = 5_000;
const freshMs = 1_000;

/** How often whoever waits looks again, in milliseconds: not all at the same time. */
const lookMs = (): number => 25 + 50 * Math.random();

/**
 * Holds a lock while subscribed. Emits `held` once it does, before that `waiting` where somebody else does; never
 * completes. Fails with {@link Misconfigured} where there can be no lock, and with {@link LoginFailed} where somebody took
 * it, because this process stood still for too long.
 *
 * @param path - what is locked; the lock stands beside it, with `.lock` behind its name
 */
export const lockFile = (path: string): Observable<'waiting' | 'held'> =>
  new Observable((subscriber) => {
    let timer: NodeJS.Timeout | undefined;
    let waiting = false;
    let lost = false;
    const folder = `${path}.lock`;
    const onCompromised = (cause: Error): void => {
      lost = true;
      release(folder, () => undefined);
      const message = `somebody took the lock ${folder} while it was held`;
      subscriber.error(new LoginFailed({ stage: 'token', message, passing: true, cause }));
    };
    const options = { realpath: false, stale: staleMs, update: freshMs, onCompromised };

    const attempt = async (): Promise<void> => {
      try {
        const { lock, unlockSync } = await locking();
        if (subscriber.closed) return;
        await lock(path, options);
        hold(folder);
        // At once, where it came too late.
        subscriber.add(() => {
          if (!lost) release(folder, () => unlockSync(path, options));
        });
        subscriber.next('held');
      } catch (error) {
        if (subscriber.closed) return;
        if (!isHeld(error)) return subscriber.error(unlockable(folder, error));
        timer = setTimeout(() => void attempt(), lookMs());
        if (!waiting) subscriber.next('waiting');
        waiting = true;
      }
    };
    void attempt();
    return () => clearTimeout(timer);
  });

const isHeld = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ELOCKED';

const unlockable = (folder: string, error: unknown): Misconfigured =>
  new Misconfigured({
    message: `${folder} cannot be made, to lock by: ${error instanceof Error ? error.message : String(error)}`,
  });

/** The locks that must not outlive this process. One set and one hook for all, because a process ends once. */
const held = new Set<string>();

const fatal = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const hold = (folder: string): void => {
  if (held.size === 0) {
    process.on('exit', releaseAll);
    for (const name of fatal) process.prependListener(name, onSignal);
  }
  held.add(folder);
};

const release = (folder: string, unlock: () => void): void => {
  ignoring(unlock);
  if (!held.delete(folder) || held.size > 0) return;
  process.off('exit', releaseAll);
  for (const name of fatal) process.off(name, onSignal);
};

const releaseAll = (): void => {
  for (const folder of held) ignoring(() => rmdirSync(folder));
};

/** A signal that nobody else handles ends us without an 'exit' event: somebody who leaves a login by ^C, for one. */
const onSignal = (signal: NodeJS.Signals): void => {
  // Gone before others look, who would take us for somebody who handles it.
  for (const name of fatal) process.off(name, onSignal);
  if (process.listenerCount(signal) > 0) return;
  releaseAll();
  process.kill(process.pid, signal);
};

/** A lock that is gone is as good as given back; one that cannot be removed goes stale. */
const ignoring = (work: () => void): void => {
  try {
    work();
  } catch {
    return;
  }
};

type Locking = typeof import('proper-lockfile');

const load = async (): Promise<Locking> => {
  const quieten = signalExit();
  const { default: locking } = await import('proper-lockfile');
  quieten();
  return locking;
};

let loading: Promise<Locking> | undefined;
const locking = (): Promise<Locking> => (loading ??= load());

/**
 * With the library comes `signal-exit`, which listens to every signal from then on. While it does, others who end the
 * process only where nobody else listens never would, and it ends the process under those who are done listening but not
 * with their work. What it does for locks is done here: it is switched off again, unless somebody else had it on before.
 */
const signalExit = (): (() => void) => {
  try {
    const beside = createRequire(createRequire(import.meta.url).resolve('proper-lockfile'));
    if (beside.resolve('signal-exit') in beside.cache) return () => undefined;
    return () => {
      const loaded: unknown = beside('signal-exit');
      if (isUnloadable(loaded)) loaded.unload();
    };
  } catch {
    // A version without it, or all in one bundle.
    return () => undefined;
  }
};

const isUnloadable = (loaded: unknown): loaded is { unload(): void } =>
  typeof loaded === 'function' && 'unload' in loaded && typeof loaded.unload === 'function';
