/**
 * One session of a handshake revision over HTTP. Each POST has a stream of its own, on which everything goes that is about
 * its requests, questions included; what is about none goes on the stream of a GET. Each message goes on exactly one.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
import { receiveBatch } from '../../era/legacy/batch.ts';
import { legacySession, type Session, type SessionOptions, type Wayside } from '../../era/legacy/session.ts';
import { Demultiplexer } from '../../exchange/demultiplex.ts';
import type { Exchange, Notification } from '../../exchange/exchange.ts';
import { isOver, type Access } from '../../exchange/guard.ts';
import { opened, type Link } from '../../exchange/link.ts';
import { cancelledMethod, listenMethod } from '../../exchange/envelope.ts';
import { codes, ConnectionClosed, RpcError } from '../../frame/errors.ts';
import { tell, type Frame, type NotificationFrame, type RequestFrame, type ResponseFrame } from '../../frame/frame.ts';
import { ordinal, type LegacyRevision } from '../../protocol/revisions.ts';
import type { EventStore } from './event-store.ts';
import { settled } from './cors.ts';
import { Crowd } from './crowd.ts';
import { LegacyStream, eventIdOf, streamKey, type LegacyStreams, type StreamKind } from './legacy-stream.ts';
import type { HttpHandling, HttpHeaders, HttpReply, HttpRequest } from './message.ts';
import { Questions, type StreamContext } from './questions.ts';

/** What all sessions of an endpoint have in common. */
export interface SessionSetting {
  readonly exchange: Exchange;
  readonly door: SessionOptions;
  readonly inflight: number | undefined;
  readonly store: EventStore | undefined;
  readonly maxBytes: number | undefined;
  readonly headers: { readonly json: HttpHeaders; readonly events: HttpHeaders };
  readonly onFailure: (error: unknown, method: string) => void;
  /** Called with 1 for each POST that is under way from now on, with -1 for each that is over. */
  readonly count: (change: 1 | -1) => void;
  /** What stands before the session's own answers. */
  readonly wrap?: (door: Exchange) => Exchange;
}

/** How many notices wait for a GET, at most; the oldest are left out. */
const mostWaiting = 100;

/** How many streams may be open for what is about no request; the oldest gives way. */
const mostGets = 8;

/** Of how many streams it is known that they are kept. */
const mostLogged = 1000;

/** The first revision whose streams begin with an id of their own, and may be hung up on. */
const polls: LegacyRevision = '2025-11-25';

export class HttpSession implements LegacyStreams, Wayside {
  readonly id: string;
  readonly principal: string | undefined;
  readonly #setting: SessionSetting;
  readonly #door: Session;
  readonly #exchange: Exchange;
  readonly #demultiplexer: Demultiplexer;
  /** Made when the first question is asked. */
  #questions: Questions | undefined;
  /** Streams that have been kept, the newest last. */
  #logged: string[] | undefined;
  /** Those whose requests are under way. */
  readonly #posts = new Crowd<LegacyStream>();
  /** Those of GETs that somebody reads, the newest last. */
  readonly #gets: LegacyStream[] = [];
  /** What goes to the next GET, by what makes it out of date. */
  #waiting: Map<string, NotificationFrame> | undefined;
  #count = 0;
  #closed = false;
  /** What its client has proved last. */
  #access: Access | undefined;
  /** When it was last used. */
  touched = 0;
  /** Whether anything followed the handshake. */
  used = false;

  constructor(id: string, principal: string | undefined, setting: SessionSetting) {
    const { exchange, door, inflight, wrap, onFailure } = setting;
    this.id = id;
    this.principal = principal;
    this.#setting = setting;
    this.#demultiplexer = new Demultiplexer({
      send: this.#tell,
      ...(inflight === undefined ? undefined : { limit: inflight }),
      onFailure,
    });
    this.#door = legacySession(exchange, this, door);
    this.#exchange = wrap?.(this.#door.exchange) ?? this.#door.exchange;
  }

  /** The answer to the handshake names the session; what follows need not (SHTTP-43). */
  get jsonHeaders(): HttpHeaders {
    const { json } = this.#setting.headers;
    return this.#isNews ? { ...json, 'mcp-session-id': this.id } : json;
  }

  get eventHeaders(): HttpHeaders {
    const { events } = this.#setting.headers;
    return this.#isNews ? { ...events, 'mcp-session-id': this.id } : events;
  }

  get maxBytes(): number | undefined {
    return this.#setting.maxBytes;
  }

  get store(): EventStore | undefined {
    return this.#setting.store;
  }

  get primes(): boolean {
    return this.#polls;
  }

  logged(name: string): void {
    const names = (this.#logged ??= []);
    names.push(name);
    // What is older has ended, or is let go of by the store itself.
    if (names.length > mostLogged) names.splice(0, mostLogged / 2);
  }

  /** Asks on the stream of the request that made us ask, or where what is about none goes. */
  readonly ask: Exchange = (request, context) => this.#asks.ask(request, context);

  readonly unsolicited = (notification: Notification): void => this.#tell({ jsonrpc: '2.0', ...notification });

  get revision(): LegacyRevision | undefined {
    return this.#door.revision;
  }

  /** Its client has proved itself again, with whatever it sent. */
  proved({ access }: HttpRequest): void {
    if (access === undefined) return;
    this.#access = access;
    this.#door.proved(access);
  }

  /** Whether anything is under way, or somebody listens. */
  get busy(): boolean {
    if (this.#gets.length > 0) return true;
    for (const stream of this.#posts.all()) if (stream.carried) return true;
    return false;
  }

  /** Requests under way. */
  get inflight(): number {
    return this.#demultiplexer.busy;
  }

  /** Whether this id is in flight, so that a request with it could not be told from that one. */
  has(frame: RequestFrame): boolean {
    return this.#demultiplexer.has(frame.id);
  }

  /** Takes a request: its stream is carried by this reply. */
  request(frame: RequestFrame, reply: HttpReply, asked: HttpRequest, over?: () => void): HttpHandling {
    const stream = this.#stream('p');
    const handling = stream.carry(reply);
    let answer: ResponseFrame | undefined;
    this.#begun(stream);
    this.#demultiplexer.request(frame, this.#exchange, this.#context(stream, asked), {
      logs: true,
      send: (said) => {
        if ('method' in said) stream.say(said);
        else answer = said;
      },
      ended: () => {
        this.#over(stream);
        over?.();
        stream.conclude(answer);
      },
    });
    return handling;
  }

  /** Takes an array, which one revision allows: what answers it is an array too. */
  batch(items: readonly unknown[], reply: HttpReply, asked: HttpRequest, over?: () => void): HttpHandling {
    const stream = this.#stream('p');
    const handling = stream.carry(reply);
    const context = this.#context(stream, asked);
    this.#begun(stream);
    const end = (frames?: Frame | readonly Frame[]): void => {
      this.#over(stream);
      over?.();
      stream.conclude(frames);
    };
    const link: Link = {
      multiplexer: this.#asks.multiplexer,
      demultiplexer: this.#demultiplexer,
      send: (said) => {
        if (!Array.isArray(said) && 'method' in said) stream.say(said);
        else end(said);
      },
      receive: (value) => {
        const told = tell(value);
        if (told.kind === 'notification') this.notification(told.frame);
        else if (told.kind === 'response') this.response(told.frame);
      },
    };
    const { revision } = this.#door;
    receiveBatch(items, { revision, exchange: this.#exchange }, link, context, () => end());
    return handling;
  }

  notification(frame: NotificationFrame): void {
    if (this.#questions?.multiplexer.notification(frame) === true) return;
    const { method, params } = frame;
    if (method === cancelledMethod) {
      const id = params?.['requestId'];
      if (typeof id === 'string' || typeof id === 'number') this.#demultiplexer.cancel(id);
    } else this.#door.notification(opened(frame));
  }

  response(frame: ResponseFrame): void {
    this.#questions?.multiplexer.response(frame);
  }

  /** Opens a stream for what is about no request, or goes on with one that was broken off. */
  listen(reply: HttpReply, lastEventId: string | undefined, refuse: (why: string) => void): HttpHandling {
    if (lastEventId !== undefined) return this.#resume(reply, lastEventId, refuse);
    const stream = this.#stream('g');
    return this.#join(stream, reply);
  }

  keepAlive(): void {
    // What is said by itself is for who has proved of late who they are: they ask for it once more.
    if (this.#access !== undefined && isOver(this.#access)) this.conclude();
    for (const stream of this.#posts.all()) stream.keepAlive();
    for (const stream of this.#gets) stream.keepAlive();
  }

  /** Ends the streams that are about no request: nothing will be told any more. */
  conclude(): void {
    for (const stream of [...this.#gets]) this.#gone(stream);
  }

  /** Answers everything that is under way with an error. */
  abandon(error: RpcError): void {
    this.#demultiplexer.abandon(error);
  }

  /** Ends whatever is under way, and all streams. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      this.#door.close();
    } catch (failure) {
      // A teardown that throws is its handler's own affair: what follows must not suffer.
      this.#setting.onFailure(failure, listenMethod);
    }
    this.abandon(new RpcError({ code: codes.internalError, message: 'the session has ended' }));
    this.#questions?.multiplexer.close(new ConnectionClosed({ message: 'the session has ended' }));
    for (const stream of [...this.#posts.all(), ...this.#gets]) {
      this.#over(stream);
      stream.conclude();
    }
    this.#gets.length = 0;
    for (const name of this.#logged ?? []) this.store?.drop(streamKey(this.id, name));
  }

  get #isNews(): boolean {
    return !this.used && this.id !== '' && this.#door.revision !== undefined;
  }

  get #polls(): boolean {
    const { revision } = this.#door;
    return revision !== undefined && ordinal(revision) >= ordinal(polls);
  }

  get #asks(): Questions {
    return (this.#questions ??= new Questions(() => this.#gets.at(-1)));
  }

  #stream(kind: StreamKind): LegacyStream {
    this.#count += 1;
    return new LegacyStream(`${kind}${this.#count}`, this);
  }

  #begun(stream: LegacyStream): void {
    this.#posts.add(stream);
    this.#setting.count(1);
  }

  #over(stream: LegacyStream): void {
    if (this.#posts.remove(stream)) this.#setting.count(-1);
  }

  #context(stream: LegacyStream, { headers, access }: HttpRequest): StreamContext {
    const { principal } = this;
    const hangUp = (retryMs?: number): void => stream.hangUp(retryMs);
    return {
      stream,
      connection: this,
      headers,
      ...(principal === undefined ? undefined : { principal }),
      ...(access === undefined ? undefined : { access }),
      ...(this.#polls && this.#setting.store !== undefined ? { hangUp } : undefined),
    };
  }

  #resume(reply: HttpReply, lastEventId: string, refuse: (why: string) => void): HttpHandling {
    const id = eventIdOf(lastEventId);
    if (id === undefined || this.#setting.store === undefined) {
      refuse(`there is no event ${JSON.stringify(lastEventId.slice(0, 50))} to go on from`);
      return settled;
    }
    const { name, position } = id;
    const failed = (error: unknown): void => refuse(reasonOf(error));
    const post = this.#posts.all().find((stream) => stream.name === name);
    if (post !== undefined) return post.resume(reply, position, failed);
    if (name.startsWith('p')) return LegacyStream.past(name, this).resume(reply, position, failed);
    return this.#resumeGet(reply, name, position, refuse);
  }

  /** What was missed is said again on a stream of its own, and the former one ends. */
  #resumeGet(reply: HttpReply, name: string, position: number, refuse: (why: string) => void): HttpHandling {
    let handling: HttpHandling = settled;
    let gone = false;
    const missed: string[] = [];
    // Nothing more is said on it while it is looked up.
    for (const stream of this.#gets.filter((open) => open.name === name)) this.#gone(stream);
    this.store?.after(streamKey(this.id, name), position).subscribe({
      next: ({ data }) => missed.push(data),
      error: (error: unknown) => refuse(reasonOf(error)),
      complete: () => {
        if (gone) return;
        if (this.#closed) return refuse('the session has ended');
        // What is kept of the former one stays: whether this reply arrives, only its client knows.
        handling = this.#join(this.#stream('g'), reply, missed);
      },
    });
    return {
      closed: () => {
        gone = true;
        handling.closed();
      },
      drained: () => handling.drained(),
    };
  }

  #join(stream: LegacyStream, reply: HttpReply, missed: readonly string[] = []): HttpHandling {
    const [oldest] = this.#gets;
    if (oldest !== undefined && this.#gets.length >= mostGets) this.#gone(oldest);
    const handling = stream.carry(reply, () => this.#gone(stream));
    this.#gets.push(stream);
    stream.begin();
    for (const line of missed) if (line !== '') stream.repeat(line);
    this.#hear(stream);
    return handling;
  }

  #gone(stream: LegacyStream): void {
    const at = this.#gets.indexOf(stream);
    if (at >= 0) this.#gets.splice(at, 1);
    stream.conclude();
  }

  /** There is somebody to tell now. */
  #hear(stream: LegacyStream): void {
    for (const frame of this.#waiting?.values() ?? []) stream.say(frame);
    this.#waiting = undefined;
    this.#door.hear();
  }

  /** To whoever listens, or else whoever listens next. */
  readonly #tell = (frame: Frame): void => {
    const stream = this.#gets.at(-1);
    if (stream !== undefined) return stream.say(frame);
    if (this.#closed || !('method' in frame) || 'id' in frame) return;
    const key = JSON.stringify(frame);
    const waiting = (this.#waiting ??= new Map());
    waiting.delete(key);
    waiting.set(key, frame);
    for (const oldest of waiting.keys()) {
      if (waiting.size <= mostWaiting) break;
      waiting.delete(oldest);
    }
  };
}

const reasonOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'the stream cannot be gone on with';

/** Who may use a session: whoever opened it, and nobody else by knowing its id (SEC-12). */
export const isOf = (session: HttpSession, { principal }: HttpRequest): boolean => session.principal === principal;
