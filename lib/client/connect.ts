/** Connects to a server, wherever it is and whatever revision it speaks. */
import { defer, EMPTY, finalize, map, type Observable, type Subscription } from 'rxjs';
import { channelEndpoint, type DialOptions, type Endpoint } from '../era/dial.ts';
import type { Channel } from '../exchange/exchange.ts';
import { ConnectionClosed } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { union } from '../protocol/capability.ts';
import type { ClientCapabilities, Implementation } from '../protocol/peer.ts';
import { isModern } from '../protocol/revisions.ts';
import type { Server } from '../server/server.ts';
import type { Client } from './client.ts';
import { Deadlines } from './deadline.ts';
import { localSide, type Answers } from './local.ts';
import { clientOf, type ClientOptions } from './make.ts';
import { mirroring } from './mirroring.ts';
import { unhurried } from './rounds.ts';

/** Who connects, what it may speak, and how long it waits. */
export interface ConnectOptions
  extends ClientOptions, Omit<DialOptions, 'info' | 'local' | 'capabilities' | 'handshake' | 'notices$' | 'held$'> {
  /** Who we are. Default: rxmcp, and its version. */
  readonly info?: Implementation;
  /** What servers may ask of us, and how it is answered. Default: nothing. */
  readonly answers?: Answers;
  /**
   * This client stands in for others, who ask through its `exchange`: what the server asks then goes to them, as far as
   * they declare it. A legacy server is told that everything can be asked, as it must be before anybody has. Default false.
   */
  readonly relay?: boolean;
  /** What we declare besides what `answers` implies: `experimental`, `extensions`. */
  readonly capabilities?: Pick<ClientCapabilities, 'experimental' | 'extensions'>;
  /** Hears what the server does wrong without any call failing of it: over HTTP, the tools that are left out of its lists. */
  readonly onWarning?: (message: string) => void;
}

/** Something that `connect` reaches a server through. */
export type Target = Channel | Endpoint;

type ToolsIn<S> = S extends Server<infer Tools> ? Tools : unknown;

/** The client of a server of this type. */
export type ClientOf<S> = Client<ToolsIn<S>>;

/** What a client can be asked at all; what is beyond its callers is refused when it is asked. */
const everything: JsonObject = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} };

const us: Implementation = { name: 'rxmcp', version: '0.1.0' };

/**
 * Opens a connection on subscription and emits a {@link Client} for it; completes when the server closes it, and fails
 * where it cannot be opened or breaks. Unsubscribing closes it: calls in flight then fail with `ConnectionClosed`.
 * Subscribe again, or use {@link restart}, for a new connection with a new client.
 *
 * It finds out which revision the server speaks: the modern request goes first, and a server that does not know it, or
 * is silent for `probeMs`, is asked to `initialize`. With the type of a server as its type argument the client knows
 * that server's tools.
 *
 * Fails with {@link NoCommonRevision}, with {@link TimedOut} where the server never answers, with {@link
 * ConnectionClosed}, or with whatever the target fails with (`ProcessExited`).
 *
 * @param target - `spawn(…)`, `socket(…)`, `inMemory(…)`, any {@link Channel}
 * @param options - see {@link ConnectOptions}; times are in milliseconds
 * @example
 * connect<typeof weather>(spawn('node', ['weather.js']))
 *   .pipe(switchMap((client) => client.call('forecast', { city: 'Oslo' })))
 *   .subscribe((event) => {
 *     if (event.kind === 'result') console.log(event.result.structuredContent?.celsius);
 *   });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#protocol-version-negotiation
 */
export const connect = <S = Server>(target: Target, options: ConnectOptions = {}): Observable<ClientOf<S>> => {
  const endpoint = typeof target === 'function' ? channelEndpoint(target) : target;
  const { info = us, answers = {}, relay = false, scheduler, capabilities: besides, onWarning, ...rest } = options;
  return defer(() => {
    const deadlines = new Deadlines(scheduler);
    let server: Implementation | undefined;
    const side = localSide(answers, () => server);
    const extensions = { ...endpoint.extensions, ...besides?.extensions };
    const capabilities = {
      ...besides,
      ...(Object.keys(extensions).length === 0 ? undefined : { extensions }),
      ...side.capabilities,
    };
    const local = unhurried(side, deadlines);
    // Roots that have been said before anybody asks for them are not lost; whoever asks is told if they failed.
    const held = side.held$.subscribe({ error: () => undefined });
    const pauses = pausing(deadlines, endpoint.held$);
    const dialling = endpoint.dial({
      ...rest,
      ...(endpoint.held$ === undefined ? undefined : { held$: endpoint.held$ }),
      info: { ...info },
      capabilities,
      handshake: [side.handshake, relay ? everything : {}].reduce(union, capabilities),
      local,
      notices$: side.notices$,
    });
    return dialling.pipe(
      map((dialled) => {
        // A channel carries messages, and no headers.
        const headed = typeof target !== 'function' && isModern(dialled.revision);
        const connection = headed ? { ...dialled, exchange: mirroring(dialled.exchange, onWarning) } : dialled;
        // Its own calls stop their own clocks while they answer; of an old server's requests nobody knows whose they are.
        const client = clientOf<ToolsIn<S>>(connection, options, deadlines, { exchange: side.exchange, capabilities });
        server = client.server;
        return client;
      }),
      finalize(() => {
        held.unsubscribe();
        pauses.unsubscribe();
        deadlines.close();
      }),
    );
  });
};

/** Calls wait without being late while somebody is being asked. */
const pausing = (deadlines: Deadlines, held$: Observable<boolean> = EMPTY): Subscription => {
  let resume: (() => void) | undefined;
  const go = (): void => {
    resume?.();
    resume = undefined;
  };
  const onChange = (held: boolean): void => {
    if (!held) go();
    else resume ??= deadlines.pause();
  };
  const subscription = held$.subscribe({ next: onChange, error: go });
  subscription.add(go);
  return subscription;
};

/** A client that is closed by hand. */
export interface OpenClient<Tools = unknown> extends Client<Tools>, AsyncDisposable {
  /**
   * Closes the connection; resolves when nothing of it is left, its process included. Of connections through one
   * `spawn(…)`, it waits for the processes of all.
   */
  close(): Promise<void>;
  /** Resolves when the connection has ended in good order, rejects when it broke. */
  readonly closed: Promise<void>;
}

/** A target that goes on for a while after it is closed, as a process does. */
interface Lingering {
  closed(): Promise<void>;
}

const lingers = (target: object): target is Lingering => 'closed' in target && typeof target.closed === 'function';

/**
 * The same as {@link connect} for those who want a Promise: opens a connection that stays until it is closed.
 *
 * @param target - `spawn(…)`, `socket(…)`, `inMemory(…)`, any {@link Channel}
 * @param options - see {@link ConnectOptions}; times are in milliseconds
 * @returns resolves once the server has answered the first request; rejects with what `connect` would fail with
 * @example
 * await using client = await open(spawn('node', ['weather.js']));
 * const { content } = await client.callTool('forecast', { city: 'Oslo' });
 * console.log(content);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#protocol-version-negotiation
 */
export const open = <S = Server>(target: Target, options: ConnectOptions = {}): Promise<OpenClient<ToolsIn<S>>> =>
  new Promise((resolve, reject) => {
    let settle: { resolve(): void; reject(error: unknown): void } | undefined;
    const closed = new Promise<void>((done, failed) => (settle = { resolve: done, reject: failed }));
    // Who does not look at it is told of a broken connection by the calls that fail.
    closed.catch(() => undefined);
    const subscription = connect<S>(target, options).subscribe({
      next: (client) => {
        const close = async (): Promise<void> => {
          subscription.unsubscribe();
          settle?.resolve();
          if (lingers(target)) await target.closed();
        };
        resolve({ ...client, closed, close, [Symbol.asyncDispose]: close });
      },
      error: (error: unknown) => {
        settle?.reject(error);
        reject(error instanceof Error ? error : new ConnectionClosed({ message: String(error), cause: error }));
      },
      complete: () => {
        settle?.resolve();
        reject(new ConnectionClosed({ message: 'the server closed the connection before it was ready' }));
      },
    });
  });
