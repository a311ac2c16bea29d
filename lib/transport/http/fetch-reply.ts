/** The way to answer a web `Request`: a `Response`, whose body is a stream where the answer comes in parts. */
import type { HttpHandling, HttpHeaders, HttpReply, Refusal } from './message.ts';

/** How much a stream holds that nobody reads, in bytes, before it says that it takes no more. */
const highWaterMark = 64 * 1024;

/** What nobody reads, because whoever asked has gone. */
const goneStatus = 499;

const encoder = new TextEncoder();

const listOf = (headers: HttpHeaders): Record<string, string> => {
  const list: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) list[name] = value;
  return list;
};

/** An answer that is known at once. An empty one is no body, which some statuses may not have. */
export const responseOf = ({ status, headers, body }: Refusal): Response =>
  new Response(body === '' ? null : body, { status, headers: listOf(headers) });

/** Somebody may wait for it, though nobody reads it. */
export const goneResponse = (): Response => new Response(null, { status: goneStatus });

export class FetchReply implements HttpReply {
  readonly response: Promise<Response>;
  /** Whether all has been said, or nobody is there to hear more. */
  #ended = false;
  #answer: (response: Response) => void = () => undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #handling: HttpHandling | undefined;
  #blocked = false;
  #signal: AbortSignal | undefined;

  constructor() {
    this.response = new Promise((resolve) => (this.#answer = resolve));
  }

  /** Until the answer is complete, its reader may go away, or stop to read. */
  follow(handling: HttpHandling, request: Request): void {
    this.#handling = handling;
    // Some platforms make the signal only when it is looked at.
    if (this.#ended) return;
    this.#signal = request.signal;
    if (this.#signal.aborted) this.#aborted();
    else this.#signal.addEventListener('abort', this.#aborted);
  }

  send(status: number, headers: HttpHeaders, body: string): void {
    if (this.#over()) this.#answer(responseOf({ status, headers, body }));
  }

  open(status: number, headers: HttpHeaders): void {
    if (this.#ended) return;
    const body = new ReadableStream<Uint8Array>(
      {
        start: (controller) => void (this.#controller = controller),
        pull: () => {
          if (!this.#blocked) return;
          this.#blocked = false;
          this.#handling?.drained();
        },
        cancel: () => this.#gone(),
      },
      { highWaterMark, size: (chunk) => chunk.length },
    );
    this.#answer(new Response(body, { status, headers: listOf(headers) }));
  }

  write(text: string): boolean {
    if (this.#ended || this.#controller === undefined) return true;
    this.#controller.enqueue(encoder.encode(text));
    this.#blocked = (this.#controller.desiredSize ?? 0) <= 0;
    return !this.#blocked;
  }

  end(): void {
    if (this.#over()) this.#controller?.close();
  }

  destroy(): void {
    if (!this.#over()) return;
    this.#controller?.error(new Error('the answer was broken off'));
    // As of any connection that breaks, it is heard later.
    queueMicrotask(() => this.#handling?.closed());
  }

  readonly #aborted = (): void => {
    if (this.#ended) return;
    this.#gone();
    if (this.#controller === undefined) this.#answer(goneResponse());
    else this.#controller.error(this.#signal?.reason);
  };

  #gone(): void {
    if (this.#over()) this.#handling?.closed();
  }

  /** Whether it is over only now. */
  #over(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#signal?.removeEventListener('abort', this.#aborted);
    return true;
  }
}
