/**
 * Streamable HTTP of the handshake revisions as a channel: every message out is a POST of its own, and what comes back
 * comes on the streams that answer them, or on one that is open for whatever the server says by itself.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
import { asyncScheduler, Observable, type Subscriber, type Subscription } from 'rxjs';
import { cancelledMethod } from '../../exchange/envelope.ts';
import type { Channel } from '../../exchange/exchange.ts';
import { oneOf } from '../../exchange/multiplex.ts';
import { codes, ConnectionClosed } from '../../frame/errors.ts';
import {
  isArray,
  isObject,
  type ErrorObject,
  type Frame,
  type RequestFrame,
  type RequestId,
} from '../../frame/frame.ts';
import { HttpRefusal } from '../../frame/http-refusal.ts';
import { Unanswered } from '../../frame/unanswered.ts';
import { isModernCode } from '../../era/probe.ts';
import { isLegacy, ordinal, type Revision } from '../../protocol/revisions.ts';
import type { HttpCall } from './carrier.ts';
import { Answer, type Header } from './answer.ts';
import { bodyOf } from './outgoing.ts';
import type { errorIn } from './refused.ts';
import { SessionEvents } from './session-events.ts';
import { SessionRequest } from './session-request.ts';
import { flushMs, type Wire } from './wire.ts';

/**
 * @param lost - told once, when the server does not know the session any more; whoever holds the channel may then open
 * another one
 */
export const sessionChannel =
  (wire: Wire, lost: (why: ConnectionClosed) => void = () => undefined): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      const session = new Session(wire, subscriber, lost);
      const writing = outbound.subscribe({
        next: (frames) => {
          if (isArray(frames)) for (const frame of frames) session.send(frame);
          else session.send(frames);
        },
        error: (error: unknown) => subscriber.error(error),
      });
      return () => {
        writing.unsubscribe();
        session.close();
      };
    });

/** The first revision whose clients name it in a header. */
const headerSince = ordinal('2025-06-18');

/** A session id is a secret that the server has made, out of what a header can carry (SHTTP-45). */
const sessionId = /^[!-~]+$/;

export class Session {
  readonly wire: Wire;
  /** For what nobody waits for. */
  readonly #telling: Wire;
  readonly #inbound: Subscriber<unknown>;
  readonly #lost: (why: ConnectionClosed) => void;
  /** In any order. A Map of what comes and goes with every call would keep it from being collected while it is young. */
  readonly #requests: SessionRequest[] = [];
  /** What is on its way that nobody waits for. */
  readonly #told = new Set<Answer>();
  readonly #events: SessionEvents;
  /** Whether the server has let us listen to a stream. */
  streams = false;
  #id: string | undefined;
  #revision: Revision | undefined;
  /** The request that opens the session. */
  #opening: RequestId | undefined;
  /** What waits until the server has taken notice that the session is open. */
  #held: Frame[] | undefined;
  /** Lets go of them in the end. */
  #late: Subscription | undefined;
  /** Why there is no session any more. */
  #gone: ConnectionClosed | undefined;
  #headers: Readonly<Record<string, string>> = posting;

  constructor(wire: Wire, inbound: Subscriber<unknown>, lost: (why: ConnectionClosed) => void) {
    this.wire = wire;
    this.#telling = { ...wire, carry: wire.lastWords.over(wire.carry) };
    this.#inbound = inbound;
    this.#lost = lost;
    this.#events = new SessionEvents(this);
  }

  send(frame: Frame): void {
    if (this.#gone !== undefined) {
      if ('method' in frame && 'id' in frame) this.#inbound.next(new Unanswered(frame.id, oneOf(this.#gone)));
      return;
    }
    if (this.#held !== undefined) return void this.#held.push(frame);
    if (!('method' in frame)) return this.#tell(frame);
    if ('id' in frame) return this.#ask(frame);
    if (frame.method === 'notifications/initialized') return this.#initialized(frame);
    if (frame.method !== cancelledMethod) return this.#tell(frame);
    // A server owes no answer to what was cancelled, and may leave its stream open.
    const request = this.#requests.find(({ id }) => id === frame.params?.['requestId']);
    request?.cancel();
    this.#tell(frame, () => request?.stop());
  }

  /** What came, for whoever holds the channel. */
  receive(value: unknown): void {
    if (this.#opening !== undefined && isObject(value) && value['id'] === this.#opening) {
      const { result } = value;
      if (isObject(result) && isLegacy(result['protocolVersion'])) this.#revision = result['protocolVersion'];
      this.#opening = undefined;
      this.#named();
    }
    this.#inbound.next(value);
  }

  /** Whether this request opens the session. */
  opens(id: RequestId): boolean {
    return id === this.#opening;
  }

  /** The answer to the opening request: it names the session, if there is to be one (SHTTP-43). */
  begun(header: Header): void {
    const id = header('mcp-session-id');
    if (id === undefined || !sessionId.test(id)) return;
    this.#id = id;
    this.#named();
  }

  /** A request for a stream of events, resumed after the event of this id. */
  listening(lastEventId: string | undefined): HttpCall {
    const { 'content-type': _, ...headers } = this.#headers;
    const resumed = lastEventId === undefined ? undefined : { 'last-event-id': lastEventId };
    return { method: 'GET', url: this.wire.url, headers: { ...headers, accept: 'text/event-stream', ...resumed } };
  }

  /**
   * What the refusal of a POST means: the error that the server sent with it, or else that nothing comes. Where the server does not
   * know the session, whoever holds the channel is told (SHTTP-49).
   */
  refused(refusal: HttpRefusal, said?: ReturnType<typeof errorIn>): ErrorObject | ConnectionClosed {
    const unknown = this.#id !== undefined && refusal.status === 404;
    // The session is not known, or else the method: the code tells which (AMB-05).
    if (unknown && said?.error.code !== codes.methodNotFound) return this.#unknown(refusal);
    // What opens a session may be refused because another transport is spoken here, which its status tells (SHTTP-58).
    const meant = said !== undefined && (said.named || this.#opening === undefined || isModernCode(said.error.code));
    return meant ? said.error : new ConnectionClosed({ message: refusal.message, cause: refusal });
  }

  /** A stream that is refused tells of the session only where there have been any: a server may have none (SHTTP-31). */
  unheard(refusal: HttpRefusal): void {
    if (this.streams) this.refused(refusal);
  }

  #unknown(refusal: HttpRefusal): ConnectionClosed {
    const cause = new HttpRefusal({ ...refusalOf(refusal), unknownSession: true });
    const why = new ConnectionClosed({ message: 'the server does not know the session any more', cause });
    if (this.#gone === undefined) {
      this.#gone = why;
      this.#events.close();
      this.#lost(why);
    }
    return why;
  }

  /** A request needs no more of this. */
  done(request: SessionRequest): void {
    if (this.#requests[request.at] !== request) return;
    const last = this.#requests.pop();
    if (last === undefined || last === request) return;
    this.#requests[request.at] = last;
    last.at = request.at;
  }

  /** Ends the session (SHTTP-51). Last words get a moment to arrive. */
  close(): void {
    this.#late?.unsubscribe();
    this.#events.close();
    for (const request of [...this.#requests]) request.stop();
    if (this.#id !== undefined && this.#gone === undefined) {
      const { 'content-type': _, ...headers } = this.#headers;
      this.#open({ method: 'DELETE', url: this.wire.url, headers });
    }
    if (this.#told.size === 0) return;
    const late = asyncScheduler.schedule(() => {
      for (const answer of this.#told) answer.stop();
    }, flushMs);
    this.#quiet = () => late.unsubscribe();
  }

  /** Called when nothing is on its way any more. */
  #quiet: () => void = nothing;

  #ask(frame: RequestFrame): void {
    const body = bodyOf(frame);
    if (typeof body !== 'string') return this.#inbound.next(body);
    if (frame.method === 'initialize') this.#opening = frame.id;
    const request = new SessionRequest(this, frame);
    request.at = this.#requests.push(request) - 1;
    request.send(this.#post(body));
  }

  /** Servers ask on the stream that listens, and what is asked before it is there goes nowhere: calls wait for it, a little. */
  #initialized(frame: Frame): void {
    const held: Frame[] = [];
    this.#held = held;
    this.#tell(frame, () => {
      const release = (): void => {
        if (this.#held !== held) return;
        this.#held = undefined;
        late.unsubscribe();
        for (const each of held) this.send(each);
      };
      const late = asyncScheduler.schedule(release, hearingMs);
      this.#late = late;
      this.#events.open(release);
    });
  }

  #tell(frame: Frame, then: () => void = nothing): void {
    const body = bodyOf(frame);
    if (typeof body === 'string') this.#open(this.#post(body), then);
    else then();
  }

  /** Sends what nobody waits for; `then` is called once the server has taken it, or will not. */
  #open(call: HttpCall, then: () => void = nothing): void {
    const done = (): void => {
      this.#told.delete(answer);
      if (this.#told.size === 0) this.#quiet();
      // What else it has to say of that is of no interest.
      answer.release();
      then();
    };
    const refused = (refusal: HttpRefusal): void => {
      if (call.method === 'POST') this.refused(refusal);
      done();
    };
    const listener = { accepted: done, whole: nothing, event: nothing, ended: nothing, failed: done, refused };
    const answer = new Answer(this.#telling, call, listener, this.wire.openMs);
    this.#told.add(answer);
  }

  #post(body: string): HttpCall {
    return { method: 'POST', url: this.wire.url, headers: this.#headers, body };
  }

  /** From now on every request names the session (SHTTP-47) and the revision (SHTTP-53). */
  #named(): void {
    const revision = this.#revision;
    this.#headers = {
      ...posting,
      ...(this.#id === undefined ? undefined : { 'mcp-session-id': this.#id }),
      ...(revision !== undefined && ordinal(revision) >= headerSince
        ? { 'mcp-protocol-version': revision }
        : undefined),
    };
  }
}

/** How long calls wait for the stream that listens, in milliseconds. */
const hearingMs = 250;

const nothing = (): void => undefined;

const posting = { accept: 'application/json, text/event-stream', 'content-type': 'application/json' };

/** Its fields, without those of every error. */
const refusalOf = ({ message, status, body, retryAfterMs, wwwAuthenticate }: HttpRefusal) => ({
  message,
  status,
  body,
  ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
  ...(wwwAuthenticate === undefined ? undefined : { wwwAuthenticate }),
});
