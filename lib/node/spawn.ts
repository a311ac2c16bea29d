/**
 * The asking end of stdio: starts a server as a child process, and leaves nothing of it behind.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
import type { ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { win32 } from 'node:path';
import type crossSpawn from 'cross-spawn';
import { Observable, Subject } from 'rxjs';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import { ChildTree } from './child-tree.ts';
import { nodeLines } from './chunks.ts';
import { environment, type Environment } from './environment.ts';
import { wire, type FramingOptions } from './wire.ts';
import { ProcessExited } from './process-exited.ts';
import { hush } from './release.ts';

/** Loaded with the first process: whoever only serves has no use for it, and it takes a sixth of the start-up time. */
const load = createRequire(import.meta.url);
let loaded: typeof crossSpawn | undefined;
const spawnProcess = (...given: Parameters<typeof crossSpawn>): ChildProcess => {
  loaded ??= load('cross-spawn') as typeof crossSpawn;
  return loaded(...given);
};

/** How a process is started, how it is ended, and the bounds of its pipes. */
export interface SpawnOptions extends FramingOptions {
  /** The folder that it runs in. Default: ours. */
  readonly cwd?: string | undefined;
  /** Added to the inherited environment; undefined takes a variable away. */
  readonly env?: Environment | undefined;
  /** Whether the process gets all of our environment, not only the variables that are safe to hand on. Default false. */
  readonly inheritEnv?: boolean | undefined;
  /** How long the process may take to end once its stdin is closed, in ms. Default 2,000. */
  readonly closeGraceMs?: number | undefined;
  /** How long its tree may take to end once it was sent SIGTERM, in ms, before it is killed. Default 2,000. */
  readonly termGraceMs?: number | undefined;
}

/** How a process ended. */
export interface Exit {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  /** The signal that ended it; null where it exited. */
  readonly signal: string | null;
  /** Whether we had asked it to end. */
  readonly expected: boolean;
}

/** A channel to a process of its own, one per subscription. What it tells besides is hot: heard or gone. */
export interface SpawnChannel extends Channel {
  /** What the processes write to stderr, line by line. It is no sign of an error (STDIO-07). Never completes. */
  readonly stderr$: Observable<string>;
  /** What they write to stdout that is no JSON, line by line: diagnostics, nothing is answered. Never completes. */
  readonly stray$: Observable<string>;
  /** How each process ended. Never completes. */
  readonly exit$: Observable<Exit>;
  /** Resolves once no process of this spawn is left, nor any that they have started. */
  readonly closed: () => Promise<void>;
}

/** How much of stderr an error tells, in characters. */
const tailLength = 2048;
/** How long pipes may stay open after the exit, held by somebody else, in ms. */
const drainMs = 1_000;

/**
 * Makes a channel that starts a server at each subscription, without a shell.
 *
 * Unsubscribing closes the server's stdin, and where that does not end it and everything it has started, sends SIGTERM
 * and at last SIGKILL to all of them; `closed` tells when that is done. They do not outlive our own process either.
 *
 * Emits parsed messages and {@link Unreadable}s. Completes when the process exits with code 0; fails with {@link
 * ProcessExited} when it ends otherwise, and with {@link ConnectionClosed} when it cannot be started or does not read.
 *
 * @param command - a program, found on the PATH
 * @param args - its arguments, handed over as they are
 * @param options - its folder and environment; the bounds, in bytes and milliseconds
 * @example
 * const memory = spawn('npx', ['-y', '@modelcontextprotocol/server-memory']);
 * memory.stderr$.subscribe((line) => console.error(line));
 * connect(memory).subscribe(({ server: named }) => console.log(named?.name));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export const spawn = (command: string, args: readonly string[] = [], options: SpawnOptions = {}): SpawnChannel => {
  const stderr$ = new Subject<string>();
  const stray$ = new Subject<string>();
  const exit$ = new Subject<Exit>();
  /** The ends of processes whose subscription has ended before them. */
  const leaving = new Set<Promise<void>>();

  const channel: Channel = (outbound) =>
    new Observable((subscriber) => {
      const notStarted = (cause: unknown) => {
        const where = options.cwd === undefined ? '' : ' in its folder';
        const message = `could not start ${command}${where}: ${reason(cause)}`;
        subscriber.error(new ConnectionClosed({ message, cause, unopened: true }));
      };
      let child: ChildProcess;
      try {
        child = start(command, args, options);
      } catch (error) {
        return notStarted(error);
      }
      child.on('error', notStarted);
      const { pid, stdin, stdout, stderr } = child;
      // The 'error' event tells why.
      if (pid === undefined || stdin === null || stdout === null || stderr === null) return;

      let gone = (): void => undefined;
      const atEnd = new Promise<void>((resolve) => (gone = resolve));
      const tree = new ChildTree(pid, options.termGraceMs ?? 2_000, () => {
        leaving.delete(atEnd);
        left = true;
        gone();
      });
      let left = false;
      let exit: Exit | undefined;
      let asked = false;
      let ending = false;
      /** Why it was made to end, where nobody had asked for it. */
      let fault: unknown;
      let grace: NodeJS.Timeout | undefined;
      let drain: NodeJS.Timeout | undefined;
      const tail = new Tail();

      const end = (why?: unknown) => {
        if (ending || exit !== undefined) return;
        ending = true;
        fault = why;
        stdin.end();
        grace = setTimeout(() => tree.end(), options.closeGraceMs ?? 2_000);
      };
      const streams = wire(
        {
          readable: stdout,
          writable: stdin,
          onValue: (value) => subscriber.next(value),
          onStray: (line) => stray$.next(line),
          // Without stdout there is nothing to wait for, and its exit tells more than its silence.
          onInputEnd: () => end(),
          onInputError: (error) => end(error),
          // The same when nobody reads its stdin: what it has still said is heard, and its exit tells why.
          onOutputError: (error) => end(error),
          onCongested: (error) => subscriber.error(error),
          onOutboundEnd: (failure) => {
            if (failure !== undefined) subscriber.error(failure.error);
          },
        },
        outbound,
        options,
      );
      for (const stream of [stdin, stdout, stderr]) hush(stream);
      const log = nodeLines(stderr, options.lineLimit).subscribe({
        next: (line) => {
          const text = typeof line === 'string' ? line : line.excerpt;
          tail.push(text);
          stderr$.next(text);
        },
        error: () => undefined,
      });

      child.once('exit', (code, signal) => {
        clearTimeout(grace);
        exit = { code, signal, expected: asked || tree.ending };
        tree.leaderExited();
        drain = setTimeout(() => {
          for (const stream of [stdin, stdout, stderr]) stream.destroy();
        }, drainMs);
        exit$.next(exit);
      });
      child.once('close', (code, signal) => {
        clearTimeout(drain);
        log.unsubscribe();
        if (code !== 0 && exit?.expected !== true) subscriber.error(exited(command, code, signal, tail.text));
        else if (code !== 0 && fault !== undefined) subscriber.error(fault);
        else subscriber.complete();
      });

      return () => {
        streams.stopReading();
        // A server that is about to end must not be stopped by a full pipe.
        stdout.resume();
        streams.stopWriting(true);
        asked = true;
        end();
        if (!left) leaving.add(atEnd);
      };
    });

  return Object.assign(channel, {
    stderr$: stderr$.asObservable(),
    stray$: stray$.asObservable(),
    exit$: exit$.asObservable(),
    closed: async () => {
      await Promise.all(leaving);
    },
  });
};

const start = (command: string, args: readonly string[], { cwd, env, inheritEnv }: SpawnOptions) =>
  spawnProcess(command, args, {
    env: environment(env, inheritEnv),
    // Leads a group of its own, so that the whole tree can be ended; on Windows it would get a console window instead.
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: 'pipe',
    ...(cwd === undefined ? undefined : { cwd }),
  });

const exited = (command: string, code: number | null, signal: string | null, stderr: string): ProcessExited => {
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
  // A message ends up in logs and answers; stderr and folders are nobody's but the caller's.
  return new ProcessExited({ message: `${win32.basename(command)} ${how}`, command, code, signal, stderr });
};

/** What the system calls the failure: its own words repeat paths. */
const reason = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : 'see its cause';

/** The last lines of a text that is not kept. */
class Tail {
  readonly #lines: string[] = [];
  #length = 0;

  push(line: string): void {
    const last = line.slice(-tailLength);
    this.#lines.push(last);
    this.#length += last.length + 1;
    while (this.#length > tailLength + 1) this.#length -= (this.#lines.shift()?.length ?? 0) + 1;
  }

  get text(): string {
    return this.#lines.join('\n');
  }
}
