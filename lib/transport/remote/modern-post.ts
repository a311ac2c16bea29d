/**
 * One request since 2026-07-28: a POST of its own, whose answer is the exchange. Closing it cancels; nothing is resumed.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
import type { EventSourceMessage } from 'eventsource-parser';
import type { Subscriber } from 'rxjs';
import { cancelledMethod, listenMethod } from '../../exchange/envelope.ts';
import type { Emission, Request } from '../../exchange/exchange.ts';
import { oneOf, progressOf, received, strip } from '../../exchange/multiplex.ts';
import { progressMethod } from '../../exchange/notice.ts';
import { codes, ConnectionClosed, InvalidAnswer, quoted } from '../../frame/errors.ts';
import { isObject, tell, type JsonObject, type NotificationFrame, type ResponseFrame } from '../../frame/frame.ts';
import type { HttpRefusal } from '../../frame/http-refusal.ts';
import { isUnproved } from '../../frame/login-failed.ts';
import { parse } from '../../frame/json.ts';
import { Unreadable } from '../../frame/unreadable.ts';
import { UnreadableResponse } from '../../frame/unreadable-response.ts';
import { metaKeys } from '../../protocol/revisions.ts';
import type { Answer, AnswerListener } from './answer.ts';
import { errorIn } from './refused.ts';

/** What a POST needs of the connection that it is made for. */
export interface PostOffice {
  /** An id that was never used before, as long as the connection lasts (AMB-36). */
  readonly id: () => number;
  /** @throws TypeError where the request holds what JSON cannot express */
  readonly open: (id: number, post: ModernPost) => Answer;
  readonly done: (post: ModernPost) => void;
  /** The server does not know `server/discover`, and says so as only those of this era do (AMB-04). */
  readonly undiscoverable: () => void;
}

export class ModernPost implements AnswerListener {
  readonly request: Request;
  readonly headers: Readonly<Record<string, string>>;
  /** Where it is among those under way. */
  at = 0;
  readonly #office: PostOffice;
  readonly #subscriber: Subscriber<Emission>;
  #answer: Answer | undefined;
  #id = 0;
  #highest = -Infinity;
  #over = false;
  /** How often it may be made again where its answer breaks. */
  #again: number;

  constructor(
    office: PostOffice,
    request: Request,
    headers: Readonly<Record<string, string>>,
    subscriber: Subscriber<Emission>,
    again: number,
  ) {
    this.#office = office;
    this.request = request;
    this.headers = headers;
    this.#subscriber = subscriber;
    this.#again = again;
  }

  send(): void {
    this.#id = this.#office.id();
    let answer: Answer;
    try {
      answer = this.#office.open(this.#id, this);
    } catch (error) {
      return this.#invalid(`could not be asked for: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (this.#over) answer.stop();
    else this.#answer = answer;
  }

  /** Unsubscribed: closing the stream is the cancellation (CAN-03). */
  stop(): void {
    if (!this.#over) this.#close();
  }

  /** The connection ends. A subscription has no answer to miss. */
  hangUp(reason: ConnectionClosed): void {
    this.#close();
    if (this.#listens) this.#subscriber.complete();
    else this.#subscriber.error(oneOf(reason));
  }

  whole(text: string, type: string): void {
    if (type !== 'application/json' && !(type === '' && text !== ''))
      return this.#invalid(text === '' && type === '' ? 'is empty' : `is of type ${quoted(type)}`);
    const value = parse(text);
    if (value instanceof Unreadable) return this.#invalid(`is malformed: ${value.reason}`);
    const told = tell(value);
    if (told.kind === 'response') return this.#response(told.frame);
    this.#invalid(told.kind === 'malformed' ? `is malformed: ${told.reason}` : `is a ${told.kind}`);
  }

  event({ data, event }: EventSourceMessage): void {
    if (this.#over || data === '' || (event !== undefined && event !== 'message')) return;
    const value = parse(data);
    if (value instanceof Unreadable) {
      if (value instanceof UnreadableResponse && value.answers === this.#id)
        this.#invalid(`is malformed: ${value.reason}`);
      return;
    }
    const told = tell(value);
    if (told.kind === 'notification') this.#notified(told.frame);
    else if (told.kind === 'response') this.#response(told.frame);
    else if (told.kind === 'malformed' && told.id === this.#id && !told.answerable)
      this.#invalid(`is malformed: ${told.reason}`);
  }

  ended(): void {
    this.#broken(new ConnectionClosed({ message: `${this.request.method} ended without an answer` }));
  }

  failed(error: ConnectionClosed): void {
    this.#broken(error);
  }

  refused(refusal: HttpRefusal, text: string): void {
    const error = errorIn(refusal, text, this.#id)?.error;
    if (error === undefined) return this.#fail(new ConnectionClosed({ message: refusal.message, cause: refusal }));
    if (refusal.status === 404 && error.code === codes.methodNotFound && this.request.method === 'server/discover')
      this.#office.undiscoverable();
    this.#fail(received(error));
  }

  get #listens(): boolean {
    return this.request.method === listenMethod;
  }

  #response(frame: ResponseFrame): void {
    if (frame.id !== this.#id)
      return this.#invalid(frame.id === undefined ? 'names no request' : 'names another request');
    this.#answer?.release();
    if ('error' in frame) return this.#fail(received(frame.error));
    this.#settle(frame.result);
  }

  #notified({ method, params }: NotificationFrame): void {
    if (method === progressMethod) return this.#progress(params);
    // A server that ends a subscription may say so in this way too (AMB-01).
    if (method === cancelledMethod) {
      if (!this.#listens || params?.['requestId'] !== this.#id) return;
      this.#answer?.release();
      return this.#settle({});
    }
    const meta = params?.['_meta'];
    if (params === undefined) return this.#subscriber.next({ method });
    if (!isObject(meta) || meta[metaKeys.subscriptionId] === undefined)
      return this.#subscriber.next({ method, params });
    const { [metaKeys.subscriptionId]: _, ...rest } = meta;
    this.#subscriber.next(strip(method, params, rest));
  }

  /** Progress of another request, or that does not rise, tells nothing (PRG-03, PRG-04). */
  #progress(params: JsonObject = {}): void {
    const done = params['progress'];
    if (params['progressToken'] !== this.#id || typeof done !== 'number' || !(done > this.#highest)) return;
    this.#highest = done;
    this.#subscriber.next(progressOf(done, params));
  }

  /** Whether it was carried out is not known: it is made again only where that does no harm (HTTP26-20, AMB-12). */
  #broken(error: ConnectionClosed): void {
    if (this.#over) return;
    if (this.#again === 0 || isUnproved(error)) return this.#fail(error);
    this.#again -= 1;
    this.#answer = undefined;
    this.send();
  }

  #settle(result: JsonObject): void {
    this.#close();
    this.#subscriber.next({ result });
    this.#subscriber.complete();
  }

  #invalid(what: string): void {
    const { method } = this.request;
    this.#fail(new InvalidAnswer({ method, message: `the answer to ${method} ${what}` }));
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#close();
    this.#subscriber.error(error);
  }

  #close(): void {
    this.#over = true;
    this.#office.done(this);
    this.#answer?.stop();
  }
}
