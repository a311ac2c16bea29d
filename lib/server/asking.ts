/**
 * What one run of a handler asks, and what it has been answered before. A question without an answer stops the handler
 * by throwing; the handler runs again once the answers are there.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { deliver, type Answering } from '../exchange/bridge.ts';
import type { Request } from '../exchange/exchange.ts';
import type { Notice } from '../exchange/notice.ts';
import { invalidParams, Misconfigured, quoted } from '../frame/errors.ts';
import { canonical } from '../frame/canonical.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { missingCapability } from '../protocol/capability.ts';
import type { ClientCapabilities } from '../protocol/peer.ts';
import type { Question } from './question.ts';
import type { Kept } from './state.ts';

/** What every question of one `askAll` is answered with. */
export type AnswersTo<Q> = { readonly [K in keyof Q]: Q[K] extends Question<infer A> ? A : never };

/** Thrown where an answer is missing. Whoever catches it has not been answered all the same. */
class Unanswered extends Error {
  constructor(keys: readonly string[]) {
    super(`${keys.join(', ')}: to be answered first; the handler will run again`);
    this.name = 'Unanswered';
  }
}

/** A value that a step has given: nothing at all is a value too. */
interface Step {
  readonly value?: unknown;
}

export class Asking {
  readonly #capabilities: ClientCapabilities;
  /** From rounds before, as this server has kept them. */
  readonly #before: Kept;
  /** As the client sends them now; not looked at before somebody asks for them (MRTR-14). */
  readonly #responses: JsonObject;
  readonly #pending = new Map<string, Request>();
  readonly #answers = new Map<string, JsonObject>();
  readonly #steps = new Map<string, Step>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #stops = new Set<() => void>();
  readonly #notice: (notice: Notice) => void;
  #conflict: Misconfigured | undefined;

  constructor(before: Kept, responses: unknown, capabilities: ClientCapabilities, notice: (notice: Notice) => void) {
    this.#before = before;
    this.#responses = isObject(responses) ? responses : {};
    this.#capabilities = capabilities;
    this.#notice = notice;
    for (const [key, step] of Object.entries(before.steps)) if (isObject(step)) this.#steps.set(key, step);
  }

  /** The questions that wait for an answer, by key; undefined where there is none. */
  get pending(): JsonObject | undefined {
    return this.#pending.size === 0 ? undefined : Object.fromEntries(this.#pending);
  }

  /** What makes the questions ones that cannot be asked; undefined where nothing does. */
  get conflict(): Misconfigured | undefined {
    return this.#conflict;
  }

  /** What the next run must know: the answers that this one has used, and the results of its steps. */
  get kept(): Kept {
    return { answers: Object.fromEntries(this.#answers), steps: Object.fromEntries(this.#steps) };
  }

  ask<A>(key: string, question: Question<A>): A {
    const answer = this.#answerTo(key, question);
    if (answer !== undefined) return answer.value;
    this.#pend(key, question);
    throw new Unanswered([key]);
  }

  askAll<const Q extends Readonly<Record<string, Question<unknown>>>>(questions: Q): AnswersTo<Q> {
    // Nobody is asked anything before all is known to be askable, and what was answered to be an answer.
    const answers = Object.entries(questions).map(([key, question]) => [key, this.#answerTo(key, question)] as const);
    const open = answers.filter(([, answer]) => answer === undefined).map(([key]) => key);
    for (const [key, question] of Object.entries(questions)) if (open.includes(key)) this.#pend(key, question);
    if (open.length > 0) throw new Unanswered(open);
    // Each under its own key, as its own question reads it.
    return Object.fromEntries(answers.map(([key, answer]) => [key, answer?.value])) as AnswersTo<Q>;
  }

  step<T>(key: string, work: () => Answering<T>): Promise<T> {
    const done = this.#steps.get(key);
    // What this key gave is what the same work gives.
    if (done !== undefined) return Promise.resolve(done.value as T);
    const running = this.#running.get(key) ?? this.#run(key, work);
    this.#running.set(key, running);
    return running as Promise<T>;
  }

  /** Stops the steps that are under way. */
  stop(): void {
    for (const stop of [...this.#stops]) stop();
  }

  #answerTo<A>(key: string, question: Question<A>): { readonly value: A } | undefined {
    const missing = missingCapability(this.#capabilities, question.needs);
    if (missing !== undefined) throw missing;
    const given = own(this.#before.answers, key) ?? own(this.#responses, key);
    if (given === undefined) return undefined;
    const reading = isObject(given) ? question.read(given) : { ok: false as const, problem: 'it must be an object' };
    if (!reading.ok) throw invalidParams(`inputResponses[${quoted(key)}]: ${reading.problem}`, { key });
    this.#answers.set(key, given as JsonObject);
    return reading;
  }

  #pend(key: string, question: Question<unknown>): void {
    const request = question.request(this.#capabilities);
    const other = this.#pending.get(key);
    // One key, one question: the answer could be to either (MRTR-06).
    if (other !== undefined && canonical(other) !== canonical(request)) {
      this.#conflict = new Misconfigured({ message: `ask: there are two questions ${JSON.stringify(key)}` });
      throw this.#conflict;
    }
    this.#pending.set(key, request);
  }

  #run(key: string, work: () => Answering<unknown>): Promise<unknown> {
    const running = new Promise<unknown>((resolve, reject) => {
      let stop: (() => void) | undefined = undefined;
      const aborted = (): void => {
        this.#stops.delete(aborted);
        stop?.();
        reject(new DOMException('the call was cancelled', 'AbortError'));
      };
      const failed = (error: unknown): void => {
        this.#stops.delete(aborted);
        if (error instanceof Error) return reject(error);
        const said = typeof error === 'string' ? error : `the step ${JSON.stringify(key)} failed`;
        reject(new Error(said, { cause: error }));
      };
      this.#stops.add(aborted);
      let answer: unknown;
      try {
        answer = work();
      } catch (error) {
        return failed(error);
      }
      stop = deliver(answer, {
        notice: this.#notice,
        value: (value) => {
          let step: Step;
          try {
            step = remembered(value);
          } catch (error) {
            // JSON cannot say it; thrown on into the stream that it came from, nobody would hear of it.
            return failed(error);
          }
          this.#stops.delete(aborted);
          this.#steps.set(key, step);
          resolve(step.value);
        },
        error: failed,
      });
    });
    // Whoever awaits it hears of a failure; a handler that is gone does not.
    running.catch(() => undefined);
    return running;
  }
}

/** The value as it comes back from the state, in the first run too, so that both see the same. */
const remembered = (value: unknown): Step => {
  const text = JSON.stringify(value);
  return text === undefined ? {} : { value: JSON.parse(text) as unknown };
};

const own = (from: JsonObject, key: string): unknown => (Object.hasOwn(from, key) ? from[key] : undefined);
