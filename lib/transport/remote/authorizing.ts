/**
 * Requests that prove who makes them: what is refused for want of a proof is made again with a better one.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import { asyncScheduler, type Subscription } from 'rxjs';
import { ConnectionClosed } from '../../frame/errors.ts';
import type { Authorizer } from './authorizer.ts';
import type { Carrier, HttpCall, HttpSink } from './carrier.ts';

/** A carrier whose requests go out with a proof. A refusal that nothing can be done about comes through as it is. */
export const authorizing =
  (carrier: Carrier, authorizer: Authorizer): Carrier =>
  (call, sink) => {
    const proving = new Proving(carrier, authorizer, call, sink);
    proving.begin();
    return () => proving.stop();
  };

/** How long what is said with a refusal may take, in milliseconds, and how much of it is kept, in characters. */
const saidMs = 2_000;
const mostSaid = 65_536;
/** What is shorter is a word like any other. */
const leastSecret = 8;

interface Refused {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  text: string;
}

/** One request, made as often as it takes. */
class Proving implements HttpSink {
  readonly #carrier: Carrier;
  readonly #authorizer: Authorizer;
  readonly #call: HttpCall;
  readonly #sink: HttpSink;
  #attempt = 0;
  #abort: (() => void) | undefined;
  #refused: Refused | undefined;
  #clock: Subscription | undefined;
  #asking: Subscription | undefined;
  #stopped = false;
  #proof: Readonly<Record<string, string>> = {};

  constructor(carrier: Carrier, authorizer: Authorizer, call: HttpCall, sink: HttpSink) {
    this.#carrier = carrier;
    this.#authorizer = authorizer;
    this.#call = call;
    this.#sink = sink;
  }

  begin(): void {
    let proof: ReturnType<Authorizer['headers']>;
    try {
      proof = this.#authorizer.headers(this.#call);
    } catch (error) {
      return queueMicrotask(() => this.#fail(error));
    }
    if (proof instanceof Promise)
      proof.then((headers) => this.#carry(headers)).catch((error: unknown) => this.#fail(error));
    else this.#carry(proof);
  }

  stop(): void {
    this.#stopped = true;
    this.#clock?.unsubscribe();
    this.#asking?.unsubscribe();
    this.#abort?.();
  }

  head(status: number, header: (name: string) => string | undefined): void {
    if (this.#stopped) return;
    this.#authorizer.heard?.(this.#call, header);
    if (status < 400) return this.#sink.head(status, header);
    this.#refused = { status, header, text: '' };
    this.#clock = asyncScheduler.schedule(() => {
      this.#abort?.();
      this.#ask();
    }, saidMs);
  }

  text(part: string): void {
    if (this.#stopped) return;
    if (this.#refused === undefined) this.#sink.text(part);
    else if (this.#refused.text.length < mostSaid) this.#refused.text += part;
  }

  end(): void {
    if (this.#stopped) return;
    if (this.#refused === undefined) this.#sink.end();
    else this.#ask();
  }

  failed(error: ConnectionClosed): void {
    if (this.#stopped) return;
    if (this.#refused === undefined) this.#sink.failed(error);
    else this.#ask();
  }

  #carry(proof: Readonly<Record<string, string>>): void {
    if (this.#stopped) return;
    const { method, url, headers, body } = this.#call;
    this.#proof = proof;
    this.#abort = this.#carrier({ method, url, headers: Object.assign({}, headers, proof), body }, this);
  }

  #ask(): void {
    const refused = this.#refused;
    if (this.#stopped || refused === undefined) return;
    this.#clock?.unsubscribe();
    this.#refused = undefined;
    if (refused.status !== 401 && refused.status !== 403) return this.#tell(refused);
    let again = false;
    this.#asking = this.#authorizer.refused(this.#call, refused, this.#attempt).subscribe({
      next: (verdict) => (again = verdict),
      error: (error: unknown) => this.#fail(error),
      complete: () => {
        if (this.#stopped) return;
        this.#attempt += 1;
        if (again) this.begin();
        else this.#tell(refused);
      },
    });
  }

  /** What a server repeats of a proof would stand in errors, and so in logs. */
  #tell({ status, header, text }: Refused): void {
    const secrets = Object.values(this.#proof).flatMap((value) => value.split(' '));
    const unproved = (said: string): string =>
      secrets.reduce((left, secret) => (secret.length < leastSecret ? left : left.replaceAll(secret, '…')), said);
    this.#sink.head(status, (name) => {
      const value = header(name);
      return value === undefined ? undefined : unproved(value);
    });
    if (text !== '') this.#sink.text(unproved(text));
    this.#sink.end();
  }

  #fail(cause: unknown): void {
    if (this.#stopped) return;
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#sink.failed(cause instanceof ConnectionClosed ? cause : new ConnectionClosed({ message, cause }));
  }
}
