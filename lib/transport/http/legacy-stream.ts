/**
 * What is said about one POST of a session, or to one GET, in order: on the reply that carries it, and, where streams can
 * be resumed, in the log. A reply may go and another take its place, which the work behind does not notice (SHTTP-26).
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
import type { Frame } from '../../frame/frame.ts';
import { bodyOf } from './answer.ts';
import type { EventStore } from './event-store.ts';
import { EventStream, plainEvent, type EventSource } from './event-stream.ts';
import type { Member } from './crowd.ts';
import type { HttpHandling, HttpHeaders, HttpReply } from './message.ts';

/** What all streams of a session have in common. */
export interface LegacyStreams {
  readonly id: string;
  readonly jsonHeaders: HttpHeaders;
  readonly eventHeaders: HttpHeaders;
  readonly maxBytes: number | undefined;
  /** Where streams can be resumed: their log. */
  readonly store: EventStore | undefined;
  /** Whether a stream begins with an event that says nothing but its id: older clients choke on it (SHTTP-19). */
  readonly primes: boolean;
  /** Called for each stream that is in the log from now on. */
  logged(name: string): void;
}

/** The kinds of streams, as their names begin. */
export type StreamKind = 'p' | 'g';

/** What names a stream in the log. */
export const streamKey = (session: string, name: string): string => `${session}/${name}`;

/** What is said on one stream. */
export class LegacyStream implements EventSource, Member {
  at = -1;
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

  get eventHeaders(): HttpHeaders {
    return this.#streams.eventHeaders;
  }

  get maxBytes(): number | undefined {
    return this.#streams.maxBytes;
  }

  /** From now on this reply carries the stream; another that did so ends. */
  carry(reply: HttpReply, onGone?: () => void): HttpHandling {
    const former = this.#carrier;
    this.#carrier = undefined;
    former?.hangUp('');
    return (this.#carrier = new Carrier(this, reply, onGone));
  }

  /** For {@link Carrier}: what is said from now on is kept for whoever comes back. */
  left(carrier: Carrier): void {
    if (this.#carrier === carrier) this.#carrier = undefined;
  }

  /** For {@link EventStream}: a stream that has said something is being resumed, and its client has an id. */
  preface(): string {
    const { store, primes } = this.#streams;
    return store !== undefined && this.#position === 0 && primes ? this.event('') : '';
  }

  /** For {@link EventStream}: a line as an event; kept, where there is a log. */
  event(line: string): string {
    const { store } = this.#streams;
    if (store === undefined) return plainEvent(line);
    if (this.#position === 0) this.#streams.logged(this.name);
    this.#position += 1;
    store.append(this.#key, this.#position, line);
    return eventOf(this.name, this.#position, line);
  }

  /** For {@link EventStream}: its reader did not keep up. */
  cut(): void {
    this.#carrier = undefined;
  }

  /** Says something, of which it is not the last. */
  say(frame: Frame | readonly Frame[]): void {
    if (this.#ended) return;
    if (this.#carrier !== undefined) this.#carrier.stream.push(frame);
    else if (this.#logs) this.event(bodyOf(frame));
  }

  /** Says again what was said on another stream. */
  repeat(line: string): void {
    this.#carrier?.stream.say(this.event(line));
  }

  /** Says the last there is to say: by itself it is one JSON object. */
  conclude(frame?: Frame | readonly Frame[]): void {
    if (this.#ended) return;
    if (frame !== undefined && (this.#carrier === undefined || this.#carrier.begun)) this.say(frame);
    this.#ended = true;
    if (this.#position > 0) this.#streams.store?.end(this.#key);
    const carrier = this.#carrier;
    this.#carrier = undefined;
    if (carrier?.begun === true) carrier.hangUp('');
    // What was cancelled before anything was said has been accepted, and that is all.
    else if (frame === undefined) carrier?.answer(202, {}, '');
    else carrier?.answer(200, this.#streams.jsonHeaders, bodyOf(frame));
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
    const { store, primes } = this.#streams;
    // Without an id there is nothing to come back with.
    if (carrier === undefined || this.#ended || store === undefined || !(this.#position > 0 || primes)) return;
    this.#carrier = undefined;
    carrier.hangUp(retryMs === undefined ? '' : `retry: ${Math.max(0, Math.round(retryMs))}\n\n`);
  }

  /** The events that were said after this one go to its reply, and whatever follows. */
  resume(reply: HttpReply, position: number, failed: (error: unknown) => void, onGone?: () => void): HttpHandling {
    let live: HttpHandling | undefined;
    let gone = false;
    let next = position;
    // What is over was begun: its client has an id.
    if (this.#ended) this.#position = position;
    const missed: string[] = [];
    const look = (): void => {
      const before = next;
      const said = this.#position;
      this.#streams.store?.after(this.#key, next).subscribe({
        next: (event) => {
          next = event.position;
          missed.push(eventOf(this.name, event.position, event.data));
        },
        error: failed,
        complete: () => {
          if (gone) return;
          // What was said while a slow store was read is looked up too, its end included, before anything is said past
          // it. A store that has lost something is not asked for ever.
          if (next < this.#position && (next > before || this.#position > said)) return look();
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
    return this.#streams.store !== undefined && this.#position > 0;
  }

  get #key(): string {
    return streamKey(this.#streams.id, this.name);
  }

  #leave(): void {
    const carrier = this.#carrier;
    this.#carrier = undefined;
    carrier?.hangUp('');
  }
}

/** A line that ends in a line feed, or nothing, as an event; its id names its stream (SHTTP-39). */
const eventOf = (name: string, position: number, line: string): string =>
  `event: message\nid: ${name}.${position}\ndata: ${line === '' ? '\n' : line}\n`;

/** The name and position that an event id says; undefined where it is none of ours. */
export const eventIdOf = (id: string): { readonly name: string; readonly position: number } | undefined => {
  const [, name, digits] = /^([a-z]\d{1,15})\.([1-9]\d{0,14})$/.exec(id) ?? [];
  return name === undefined || digits === undefined ? undefined : { name, position: Number(digits) };
};

/** A reply: nothing has left, or a stream of events has begun. */
class Carrier implements HttpHandling {
  readonly #owner: LegacyStream;
  readonly #reply: HttpReply;
  readonly #onGone: (() => void) | undefined;
  #stream: EventStream | undefined;
  #ticked = false;

  constructor(owner: LegacyStream, reply: HttpReply, onGone: (() => void) | undefined) {
    this.#owner = owner;
    this.#reply = reply;
    this.#onGone = onGone;
  }

  get begun(): boolean {
    return this.#stream !== undefined;
  }

  get stream(): EventStream {
    return (this.#stream ??= new EventStream(this.#reply, this.#owner));
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

  closed(): void {
    this.#stream?.abandon();
    this.#owner.left(this);
    this.#onGone?.();
  }

  drained(): void {
    this.#stream?.drained();
  }
}
