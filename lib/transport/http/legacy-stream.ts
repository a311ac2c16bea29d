/**
 * What is said about one POST of a session, or to one GET, in order: on the reply that carries it, and, where streams can
 * be resumed, in the log. A reply may go and another take its place, which the work behind does not notice (SHTTP-26).
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
import type { Frame } from '../../frame/frame.ts';
import { bodyOf } from './answer.ts';
import type { EventStore } from './event-store.ts';
import { EventStream } from './event-stream.ts';
import type { HttpHandling, HttpHeaders, HttpReply } from './message.ts';

/** What all streams of a session have in common. */
export interface LegacyStreams {
  readonly json: () => HttpHeaders;
  readonly events: () => HttpHeaders;
  readonly maxBytes: number | undefined;
  /** Where streams can be resumed: the log, and what its keys begin with. */
  readonly log: { readonly store: EventStore; readonly prefix: string } | undefined;
  /** Whether a stream begins with an event that says nothing but its id: older clients choke on it (SHTTP-19). */
  readonly primes: () => boolean;
}

/** One reply that carries a stream. */
export class LegacyStream {
  /** Unique within the session, and never used again. */
  readonly name: string;
  readonly #streams: LegacyStreams;
  #carrier: Carrier | undefined;
  #position = 0;
  #ended = false;

  constructor(name: string, streams: LegacyStreams) {
    this.name = name;
    this.#streams = streams;
  }

  /** A stream that has said all, and may be kept in the log. */
  static past(name: string, streams: LegacyStreams): LegacyStream {
    const stream = new LegacyStream(name, streams);
    stream.#ended = true;
    return stream;
  }

  /** Whether anybody is there to hear what it says now. */
  get carried(): boolean {
    return this.#carrier !== undefined;
  }

  /** Whether something that is said now can still be heard by its client. */
  get reachable(): boolean {
    return !this.#ended && (this.carried || this.#logs);
  }

  /** From now on this reply carries the stream; another that did so ends. */
  carry(reply: HttpReply, onGone?: () => void): HttpHandling {
    const former = this.#carrier;
    this.#carrier = undefined;
    former?.hangUp('');
    const carrier = new Carrier(reply, () => this.#open(reply));
    this.#carrier = carrier;
    return {
      closed: () => {
        carrier.gone();
        if (this.#carrier === carrier) this.#carrier = undefined;
        onGone?.();
      },
      drained: () => carrier.drained(),
    };
  }

  /** Says something, of which it is not the last. */
  say(frame: Frame | readonly Frame[]): void {
    if (this.#ended) return;
    if (this.#carrier !== undefined) this.#carrier.stream.push(frame);
    else if (this.#logs) this.#event(bodyOf(frame));
  }

  /** Says again what was said on another stream. */
  repeat(line: string): void {
    this.#carrier?.stream.say(this.#event(line));
  }

  /** Says the last there is to say: by itself it is one JSON object. */
  conclude(frame?: Frame | readonly Frame[]): void {
    if (this.#ended) return;
    if (frame !== undefined && (this.#carrier === undefined || this.#carrier.begun)) this.say(frame);
    this.#ended = true;
    const { log, json } = this.#streams;
    if (this.#position > 0) log?.store.end(this.#key);
    const carrier = this.#carrier;
    this.#carrier = undefined;
    if (carrier?.begun === true) carrier.hangUp('');
    // What was cancelled before anything was said has been accepted, and that is all.
    else if (frame === undefined) carrier?.answer(202, {}, '');
    else carrier?.answer(200, json(), bodyOf(frame));
  }

  /** Begins the events, where nothing has been said yet. */
  begin(): void {
    this.#carrier?.stream.start();
  }

  /** A sign of life. */
  keepAlive(): void {
    this.#carrier?.tick();
  }

  /** Closes the reply but not the stream: its client comes back for the rest (SHTTP-21, SHTTP-22). */
  hangUp(retryMs: number | undefined): void {
    const carrier = this.#carrier;
    const { log, primes } = this.#streams;
    // Without an id there is nothing to come back with.
    if (carrier === undefined || this.#ended || log === undefined || !(this.#position > 0 || primes())) return;
    this.#carrier = undefined;
    carrier.hangUp(retryMs === undefined ? '' : `retry: ${Math.max(0, Math.round(retryMs))}\n\n`);
  }

  /** The events that were said after this one go to its reply, and whatever follows. */
  resume(reply: HttpReply, position: number, failed: (error: unknown) => void, onGone?: () => void): HttpHandling {
    const { log } = this.#streams;
    let live: HttpHandling | undefined;
    let gone = false;
    let next = position;
    // What is over was begun: its client has an id.
    if (this.#ended) this.#position = position;
    const missed: string[] = [];
    const look = (): void => {
      const before = next;
      log?.store.after(this.#key, next).subscribe({
        next: (event) => {
          next = event.position;
          missed.push(eventOf(this.name, event.position, event.data));
        },
        error: failed,
        complete: () => {
          if (gone) return;
          // What was said while a slow store was read is looked up too, before anything is said past it.
          if (!this.#ended && next < this.#position && next > before) return look();
          live = this.carry(reply, onGone);
          this.begin();
          if (missed.length > 0) this.#carrier?.stream.say(missed.join(''));
          if (this.#ended) this.#leave();
        },
      });
    };
    look();
    return {
      closed: () => {
        gone = true;
        live?.closed();
      },
      drained: () => live?.drained(),
    };
  }

  get #logs(): boolean {
    return this.#streams.log !== undefined && this.#position > 0;
  }

  get #key(): string {
    return `${this.#streams.log?.prefix ?? ''}${this.name}`;
  }

  #leave(): void {
    const carrier = this.#carrier;
    this.#carrier = undefined;
    carrier?.hangUp('');
  }

  #open(reply: HttpReply): EventStream {
    const { events, maxBytes, primes, log } = this.#streams;
    const stream = new EventStream(reply, {
      headers: events(),
      maxBytes,
      event: (line) => this.#event(line),
      // What is said from now on is kept for whoever comes back.
      onCut: () => (this.#carrier = undefined),
    });
    // A stream that has said something is being resumed: its client has an id.
    if (log !== undefined && this.#position === 0 && primes()) stream.begin(this.#prime());
    return stream;
  }

  #prime(): string {
    this.#position += 1;
    this.#streams.log?.store.append(this.#key, this.#position, '');
    return eventOf(this.name, this.#position, '');
  }

  /** A line as an event; kept, where there is a log. */
  #event(line: string): string {
    const { log } = this.#streams;
    if (log === undefined) return eventOf(undefined, 0, line);
    this.#position += 1;
    log.store.append(this.#key, this.#position, line);
    return eventOf(this.name, this.#position, line);
  }
}

/** A line that ends in a line feed, or nothing, as an event; its id names its stream (SHTTP-39). */
const eventOf = (name: string | undefined, position: number, line: string): string => {
  const data = line === '' ? '\n' : line;
  return name === undefined
    ? `event: message\ndata: ${data}\n`
    : `event: message\nid: ${name}.${position}\ndata: ${data}\n`;
};

/** The name and position that an event id says; undefined where it is none of ours. */
export const eventIdOf = (id: string): { readonly name: string; readonly position: number } | undefined => {
  const [, name, digits] = /^([a-z]\d{1,15})\.([1-9]\d{0,14})$/.exec(id) ?? [];
  return name === undefined || digits === undefined ? undefined : { name, position: Number(digits) };
};

/** A reply: nothing has left, or a stream of events has begun. */
class Carrier {
  readonly #reply: HttpReply;
  readonly #open: () => EventStream;
  #stream: EventStream | undefined;
  #ticked = false;

  constructor(reply: HttpReply, open: () => EventStream) {
    this.#reply = reply;
    this.#open = open;
  }

  get begun(): boolean {
    return this.#stream !== undefined;
  }

  get stream(): EventStream {
    return (this.#stream ??= this.#open());
  }

  answer(status: number, headers: HttpHeaders, body: string): void {
    this.#reply.send(status, headers, body);
  }

  tick(): void {
    if (this.#ticked) this.stream.keepAlive();
    this.#ticked = true;
  }

  hangUp(last: string): void {
    if (last !== '') this.stream.say(last);
    this.stream.end();
  }

  gone(): void {
    this.#stream?.abandon();
  }

  drained(): void {
    this.#stream?.drained();
  }
}
