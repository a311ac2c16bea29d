/** One request of a session: its POST, and the streams that bring the rest where that one breaks. */
import type { EventSourceMessage } from 'eventsource-parser';
import { asyncScheduler, type Subscription } from 'rxjs';
import { Concerning } from '../../frame/concerning.ts';
import { ConnectionClosed, InvalidAnswer, quoted } from '../../frame/errors.ts';
import { isArray, isObject, type RequestFrame, type RequestId } from '../../frame/frame.ts';
import type { HttpRefusal } from '../../frame/http-refusal.ts';
import { isUnproved } from '../../frame/login-failed.ts';
import { parse } from '../../frame/json.ts';
import { Unanswered } from '../../frame/unanswered.ts';
import { Unreadable } from '../../frame/unreadable.ts';
import { UnreadableResponse } from '../../frame/unreadable-response.ts';
import { Waits } from '../schedule.ts';
import { Answer, type AnswerListener, type Header } from './answer.ts';
import type { HttpCall } from './carrier.ts';
import { isResumable } from './event-id.ts';
import { errorIn } from './refused.ts';
import type { Session } from './session.ts';

export class SessionRequest implements AnswerListener {
  readonly #session: Session;
  readonly #frame: RequestFrame;
  #answer: Answer | undefined;
  #waiting: Subscription | undefined;
  readonly #waits: Waits;
  /** The last event that came, from which the stream can be taken up again. */
  #lastEventId: string | undefined;
  #retryMs = 0;
  /** Whether this is the POST itself, and no stream that follows it. */
  #posted = true;
  #over = false;
  #cancelled = false;
  /** Where it is among those under way. */
  at = 0;

  constructor(session: Session, frame: RequestFrame) {
    this.#session = session;
    this.#frame = frame;
    this.#waits = new Waits(session.wire.retry);
  }

  get id(): RequestId {
    return this.#frame.id;
  }

  send(call: HttpCall): void {
    const answer = new Answer(this.#session.wire, call, this);
    if (this.#over) answer.stop();
    else this.#answer = answer;
  }

  /** Nobody waits for it any more, and so there is nobody whom it could ask. */
  cancel(): void {
    this.#cancelled = true;
  }

  stop(): void {
    if (this.#over) return;
    this.#close();
    this.#answer?.stop();
  }

  accepted(header: Header): void {
    this.#waits.begun();
    if (!this.#posted) this.#session.streams = true;
    else if (this.#session.opens(this.#frame.id)) this.#session.begun(header);
  }

  whole(text: string, type: string): void {
    if (this.#posted && (type === 'application/json' || (type === '' && text !== ''))) {
      const value = parse(text);
      if (!(value instanceof Unreadable) && this.#answers(value)) {
        this.#close();
        return this.#session.receive(value);
      }
      const why = value instanceof Unreadable ? `is malformed: ${value.reason}` : 'answers another request, or none';
      return this.#invalid(why);
    }
    this.#invalid(text === '' && type === '' ? 'is empty' : `is of type ${quoted(type)}`);
  }

  event({ id, event, data }: EventSourceMessage): void {
    if (isResumable(id)) this.#lastEventId = id;
    // An event without data only says how far the stream has come (SHTTP-20).
    if (this.#over || data === '' || (event !== undefined && event !== 'message')) return;
    const value = parse(data);
    if (this.#answers(value)) {
      this.#answer?.release();
      this.#close();
      this.#session.receive(value);
    } else if (!this.#cancelled || !isQuestion(value)) this.#session.receive(new Concerning(this.#frame.id, value));
  }

  retry(ms: number): void {
    this.#retryMs = ms;
  }

  ended(): void {
    // Who says when to come back has not failed.
    if (this.#retryMs > 0) this.#waits.reset();
    this.#resume(new ConnectionClosed({ message: `${this.#frame.method} ended without an answer` }));
  }

  failed(error: ConnectionClosed): void {
    this.#resume(error);
  }

  refused(refusal: HttpRefusal, text: string): void {
    if (!this.#posted) {
      this.#session.unheard(refusal);
      // What was sent may have been carried out: it is not made again in another session.
      const error = new ConnectionClosed({ message: refusal.message, cause: refusal });
      if (refusal.status >= 500 || refusal.status === 429) this.#resume(error, refusal.retryAfterMs);
      else this.#fail(error);
      return;
    }
    const refused = this.#session.refused(refusal, errorIn(refusal, text, this.#frame.id));
    if (refused instanceof ConnectionClosed) return this.#fail(refused);
    this.#close();
    this.#session.receive({ jsonrpc: '2.0', id: this.#frame.id, error: refused });
  }

  /** Takes the stream up where it broke, which is no matter of chance but what some servers do all the time (SHTTP-24). */
  #resume(error: ConnectionClosed, patienceMs = 0): void {
    if (this.#over) return;
    if (this.#lastEventId === undefined || isUnproved(error)) return this.#fail(error);
    this.#posted = false;
    this.#waits.ended();
    if (this.#waits.failed()) return this.#fail(error);
    const again = (): void => this.send(this.#session.listening(this.#lastEventId));
    this.#waiting = asyncScheduler.schedule(again, this.#waits.next(Math.max(this.#retryMs, patienceMs)));
  }

  /** Whether this is the answer, alone or in an array as at 2025-03-26. */
  #answers(value: unknown): boolean {
    if (isArray(value)) return value.some((each) => this.#answers(each));
    if (value instanceof UnreadableResponse) return value.answers === this.#frame.id;
    return isObject(value) && value['id'] === this.#frame.id && ('result' in value || 'error' in value);
  }

  #invalid(what: string): void {
    const { method } = this.#frame;
    this.#fail(new InvalidAnswer({ method, message: `the answer to ${method} ${what}` }));
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#close();
    this.#answer?.stop();
    this.#session.receive(new Unanswered(this.#frame.id, error));
  }

  #close(): void {
    this.#over = true;
    this.#waiting?.unsubscribe();
    this.#session.done(this);
  }
}

const isQuestion = (value: unknown): boolean => isObject(value) && 'method' in value && 'id' in value;
