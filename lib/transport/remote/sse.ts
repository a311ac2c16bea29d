/**
 * The oldest transport, of 2024-11-05: a stream of events that stays open, whose first says where messages are to be
 * posted.
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import type { EventSourceMessage } from 'eventsource-parser';
import { asyncScheduler, Observable, type Subscriber, type Subscription } from 'rxjs';
import { asksOf, type HandshakeChannel } from '../../era/dial.ts';
import { onceUnheld } from '../../exchange/patience.ts';
import { ConnectionClosed, quoted } from '../../frame/errors.ts';
import { isArray, type Frame } from '../../frame/frame.ts';
import type { HttpRefusal } from '../../frame/http-refusal.ts';
import { LoginFailed } from '../../frame/login-failed.ts';
import { parse } from '../../frame/json.ts';
import { Unanswered } from '../../frame/unanswered.ts';
import { Answer, type AnswerListener } from './answer.ts';
import { fetchCarrier } from './fetch-carrier.ts';
import { bodyOf } from './outgoing.ts';
import { flushMs, wireOf, type Wire, type WireOptions } from './wire.ts';

/** How an old server is reached over HTTP, and the bounds. */
export type SseOptions = Omit<WireOptions, 'retry'>;

/**
 * Connects to a server over HTTP+SSE, the transport of 2024-11-05, at each subscription anew. `remote` finds out by
 * itself where a server speaks no other; this is for those whose stream has a URL of its own, as `/sse`.
 *
 * Emits parsed messages and {@link Unreadable}s. Completes when the server ends the stream; fails with {@link
 * ConnectionClosed} where it breaks, with `unopened` where there was none: nobody is there, the server refused it (its
 * `cause` is an {@link HttpRefusal}), or named another origin to post to. A request whose POST is refused fails alone.
 *
 * @param url - of the stream; `http:` or `https:`
 * @param options - see {@link SseOptions}; times are in milliseconds
 * @throws {@link Misconfigured} for any other URL
 * @example
 * connect(sse('https://weather.example/sse')).subscribe(({ revision }) => console.log(revision));
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export const sse = (url: string | URL, options: SseOptions = {}): HandshakeChannel =>
  sseChannel(wireOf(url, options, fetchCarrier()));

export const sseChannel = (wire: Wire): HandshakeChannel => {
  const channel = (outbound: Observable<Frame | readonly Frame[]>): Observable<unknown> =>
    new Observable((subscriber) => {
      const stream = new SseStream(wire, subscriber);
      const writing = outbound.subscribe({
        next: (frames) => {
          if (isArray(frames)) for (const frame of frames) stream.send(frame);
          else stream.send(frames);
        },
        error: (error: unknown) => subscriber.error(error),
      });
      return () => {
        writing.unsubscribe();
        stream.close();
      };
    });
  return Object.assign(channel, { handshakeOnly: true, closed: () => wire.lastWords.said() } as const, asksOf(wire));
};

class SseStream implements AnswerListener {
  readonly #wire: Wire;
  readonly #posting: Wire;
  readonly #inbound: Subscriber<unknown>;
  readonly #answer: Answer;
  readonly #posts = new Set<Answer>();
  readonly #clock: Subscription;
  /** Where to post; unknown until the server has said so. */
  #endpoint: string | undefined;
  /** What must not go out yet. */
  #held: Frame[] | undefined = [];
  #quiet: () => void = nothing;

  constructor(wire: Wire, inbound: Subscriber<unknown>) {
    this.#wire = wire;
    this.#posting = { ...wire, carry: wire.lastWords.over(wire.carry) };
    this.#inbound = inbound;
    const { url, openMs } = wire;
    this.#answer = new Answer(wire, { method: 'GET', url, headers: { accept: 'text/event-stream' } }, this);
    this.#clock = onceUnheld(openMs, wire.held$, () =>
      this.#unopened(`the server did not say within ${openMs} ms where to post`),
    );
  }

  send(frame: Frame): void {
    if (this.#held !== undefined || this.#endpoint === undefined) this.#held?.push(frame);
    else this.#post(frame, this.#endpoint);
  }

  close(): void {
    this.#clock.unsubscribe();
    this.#answer.stop();
    if (this.#posts.size === 0) return;
    const late = asyncScheduler.schedule(() => {
      for (const post of this.#posts) post.stop();
    }, flushMs);
    this.#quiet = () => late.unsubscribe();
  }

  whole(_: string, type: string): void {
    this.#unopened(`the server answered with ${type === '' ? 'nothing' : quoted(type)} instead of a stream of events`);
  }

  event({ event, data }: EventSourceMessage): void {
    if (event === 'endpoint') return this.#found(data);
    if (data !== '' && (event === undefined || event === 'message')) this.#inbound.next(parse(data));
  }

  ended(): void {
    if (this.#endpoint === undefined) this.#unopened('the server ended the stream before it said where to post');
    else this.#inbound.complete();
  }

  refused(refusal: HttpRefusal): void {
    this.#unopened(refusal.message, refusal);
  }

  failed(error: ConnectionClosed): void {
    if (this.#endpoint !== undefined) return this.#inbound.error(error);
    // Whoever would try again has to see at once that nobody could be logged in.
    this.#unopened(error.message, error.cause instanceof LoginFailed ? error.cause : error);
  }

  /** A server may not have us post to another: what goes along is for nobody else. */
  #found(data: string): void {
    if (this.#endpoint !== undefined) return;
    let endpoint: URL | undefined;
    try {
      endpoint = new URL(data, this.#wire.url);
    } catch {
      endpoint = undefined;
    }
    if (endpoint?.origin !== new URL(this.#wire.url).origin)
      return this.#unopened(`the server wants messages posted to ${quoted(data)}, which is not of its own origin`);
    this.#clock.unsubscribe();
    this.#endpoint = endpoint.href;
    this.#release();
  }

  #release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const frame of held) this.send(frame);
  }

  #unopened(message: string, cause?: unknown): void {
    this.#inbound.error(
      new ConnectionClosed({ message, unopened: true, ...(cause === undefined ? undefined : { cause }) }),
    );
  }

  #post(frame: Frame, url: string): void {
    const body = bodyOf(frame);
    if (typeof body !== 'string') return void (body !== undefined && this.#inbound.next(body));
    const request = 'method' in frame && 'id' in frame ? frame.id : undefined;
    // Nothing overtakes the end of the handshake.
    const held = 'method' in frame && frame.method === 'notifications/initialized';
    if (held) this.#held = [];
    const done = (): void => {
      this.#posts.delete(post);
      if (this.#posts.size === 0) this.#quiet();
      // The answer comes on the other stream.
      post.release();
      if (held) this.#release();
    };
    const failed = (error: ConnectionClosed): void => {
      done();
      if (request !== undefined) this.#inbound.next(new Unanswered(request, error));
    };
    const post = new Answer(
      this.#posting,
      { method: 'POST', url, headers: { 'content-type': 'application/json', accept: 'application/json' }, body },
      {
        accepted: done,
        whole: nothing,
        event: nothing,
        ended: nothing,
        failed,
        refused: (refusal) => failed(new ConnectionClosed({ message: refusal.message, cause: refusal })),
      },
      this.#wire.openMs,
    );
    this.#posts.add(post);
  }
}

const nothing = (): void => undefined;
