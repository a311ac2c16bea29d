/**
 * What one run of a handler asks, and what it has been answered before. A question without an answer stops the handler
 * by throwing; the handler runs again once the answers are there.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { deliver, type Answering } from '../exchange/bridge.ts';
import type { Request } from '../exchange/exchange.ts';
import type { Notice } from '../exchange/notice.ts';
import { invalidParams, Misconfigured, quoted, type RpcError } from '../frame/errors.ts';
import { canonical, fingerprint } from '../frame/canonical.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { missingCapability, union } from '../protocol/capability.ts';
import type { ClientCapabilities } from '../protocol/peer.ts';
import type { Question } from './question.ts';
import type { Kept } from './state.ts';

/** What every question of one `askAll` is answered with. */
export type AnswersTo<Q> = { readonly [K in keyof Q]: Q[K] extends Question<infer A> | undefined ? A : never };

/** What JSON makes of a value: a `Date` becomes a string, a function is nothing. */
export type Remembered<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends { toJSON(): infer J }
    ? J
    : T extends bigint | symbol | ((...args: never) => unknown)
      ? never
      : T extends object
        ? { [K in keyof T]: Remembered<T[K]> }
        : T;

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
  /** A mark of each question of this run: an answer is to the very question that was asked. */
  readonly #asked = new Map<string, string>();
  readonly #answers = new Map<string, JsonObject>();
  readonly #steps = new Map<string, Step>();
  readonly #running = new Map<string, Promise<unknown>>();
  readonly #stops = new Set<() => void>();
  #stopped = false;
  readonly #notice: (notice: Notice) => void;
  #conflict: Misconfigured | RpcError | undefined;

  readonly #changed: (key: string) => void;

  /** @param changed - hears of a question that was answered, and reads differently now */
  constructor(
    before: Kept,
    responses: unknown,
    capabilities: ClientCapabilities,
    notice: (notice: Notice) => void,
    changed: (key: string) => void,
  ) {
    this.#changed = changed;
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

  /** What fails the run, whatever its handler makes of it: questions that cannot be asked, answers that are none. */
  get conflict(): Misconfigured | RpcError | undefined {
    return this.#conflict;
  }

  /** What the next run must know: the answers that this one has used, and the results of its steps. */
  get kept(): Kept {
    return {
      asked: Object.fromEntries(this.#asked),
      answers: Object.fromEntries(this.#answers),
      steps: Object.fromEntries(this.#steps),
    };
  }

  ask<A>(key: string, question: Question<A>): A {
    const { answer, pend } = this.#look(key, question);
    if (answer !== undefined) return answer.value;
    pend();
    throw new Unanswered([key]);
  }

  askAll<const Q extends Readonly<Record<string, Question<unknown>>>>(questions: Q): AnswersTo<Q> {
    // Nobody is asked anything before all is known to be askable, and what was answered to be an answer.
    const needs = Object.values(questions).reduce<JsonObject>((all, one) => union(all, { ...one.needs }), {});
    const missing = missingCapability(this.#capabilities, needs, Object.keys(questions).map(quoted).join(', '));
    if (missing !== undefined) throw missing;
    const looks = Object.entries(questions).map(([key, question]) => [key, this.#look(key, question)] as const);
    const open = looks.filter(([, { answer }]) => answer === undefined);
    for (const [, { pend }] of open) pend();
    if (open.length > 0) throw new Unanswered(open.map(([key]) => key));
    // Each under its own key, as its own question reads it.
    return Object.fromEntries(looks.map(([key, { answer }]) => [key, answer?.value])) as AnswersTo<Q>;
  }

  step<T>(key: string, work: () => Answering<T>): Promise<Remembered<T>> {
    const done = this.#steps.get(key);
    // What this key gave is what the same work gives.
    if (done !== undefined) return Promise.resolve(done.value as Remembered<T>);
    const running = this.#running.get(key) ?? this.#run(key, work);
    this.#running.set(key, running);
    return running as Promise<Remembered<T>>;
  }

  /** Stops the steps that are under way; none begins any more. */
  stop(): void {
    this.#stopped = true;
    for (const stop of [...this.#stops]) stop();
  }

  /** Resolves when the steps under way have ended: what they have done must not be done again. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running.values());
  }

  /** The answer to a question, or what notes that it waits for one. */
  #look<A>(key: string, question: Question<A>): { readonly answer?: { readonly value: A }; readonly pend: () => void } {
    // A message with such a member is refused wherever it is read.
    if (key === '__proto__') throw new Misconfigured({ message: `ask: ${quoted(key)} is no key` });
    const missing = missingCapability(this.#capabilities, question.needs, `the question ${quoted(key)}`);
    if (missing !== undefined) throw missing;
    const request = question.request(this.#capabilities);
    const mark = fingerprint(canonical(request));
    const other = this.#asked.get(key);
    // One key, one question: the answer could be to either (MRTR-06).
    if (other !== undefined && other !== mark) {
      this.#conflict = new Misconfigured({
        message: `ask: there are two questions ${JSON.stringify(key)}; give each a key of its own`,
      });
      throw this.#conflict;
    }
    this.#asked.set(key, mark);
    const pend = (): void => void this.#pending.set(key, request);
    const given = own(this.#before.answers, key) ?? own(this.#responses, key);
    if (given === undefined) return { pend };
    // Of what was asked differently before, the answer was to something else.
    if (this.#before.asked !== undefined && own(this.#before.asked, key) !== mark) {
      if (own(this.#before.asked, key) !== undefined) this.#changed(key);
      return { pend };
    }
    const reading = isObject(given) ? question.read(given) : { ok: false as const, problem: 'it must be an object' };
    if (!reading.ok) {
      this.#conflict = invalidParams(`inputResponses[${quoted(key)}]: ${reading.problem}`, { key });
      throw this.#conflict;
    }
    this.#answers.set(key, given as JsonObject);
    return { answer: reading, pend };
  }

  #run(key: string, work: () => Answering<unknown>): Promise<unknown> {
    const running = new Promise<unknown>((resolve, reject) => {
      let stop: (() => void) | undefined = undefined;
      const aborted = (): void => {
        this.#stops.delete(aborted);
        stop?.();
        reject(new DOMException('the call was cancelled', 'AbortError'));
      };
      // A handler goes on to its next pause, whatever it said on the way there has led to.
      if (this.#stopped) return aborted();
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
      if (this.#stopped) stop?.();
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
