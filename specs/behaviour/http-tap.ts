/** Listens in on HTTP where the client hands it its requests: a carrier that remembers what goes over another. */
import { createParser } from 'eventsource-parser';
import { ignoreElements, merge, Subject } from 'rxjs';
import type { Frame, JsonObject } from '../../lib/index.ts';
import { isObject } from '../../lib/frame/frame.ts';
import { tap } from '../../lib/testing/index.ts';
import type { Carrier, HttpCall, HttpSink } from '../../lib/transport/remote/carrier.ts';
import type { Wire } from './way.ts';

/** One HTTP request and what came back. */
export interface Trip {
  readonly call: HttpCall;
  /** Whether the suite made it, and not the client. */
  readonly injected: boolean;
  /** What it carried; an array is a batch. */
  readonly sent: unknown;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  /** The messages that came back, in order. */
  readonly heard: readonly JsonObject[];
  /** The ids of the events that came back, those without a message included. */
  readonly eventIds: readonly string[];
  readonly text: string;
  /** How it ended. */
  readonly end: 'whole' | 'broken' | 'given up';
}

export interface HttpTapOptions {
  /** Whether closing the stream of an answer is what cancels, so that it is written down as the message that it stands for. */
  readonly closingCancels: boolean;
  /** What is against the rules of HTTP in one request and its answer. */
  readonly judge: (trip: Trip) => readonly string[];
  /** Whether messages come on streams only, so that whatever else a POST is answered with is none (SSE-04). */
  readonly streamsOnly?: boolean;
  /** Messages that are said for no other reason than to begin a stream: they are not written down. */
  readonly overlooked?: (message: JsonObject) => boolean;
}

export interface HttpTap {
  readonly wire: Wire;
  readonly carrier: Carrier;
  /** Makes a request of the suite's own; returns what gives it up. `ended` hears how it went. */
  readonly inject: (call: HttpCall, ended?: (trip: Trip) => void) => () => void;
  /** The client's last POST. */
  readonly posted: () => HttpCall | undefined;
}

const nothing = (): undefined => undefined;
const deaf: HttpSink = { head: nothing, text: nothing, end: nothing, failed: nothing };

const isRequest = (value: unknown): value is JsonObject => isObject(value) && 'method' in value && 'id' in value;

export const tapHttp = (carrier: Carrier, options: HttpTapOptions): HttpTap => {
  const { closingCancels, judge, streamsOnly = false, overlooked = () => false } = options;
  const faults: string[] = [];
  const inbound = new Subject<unknown>();
  const outbound = new Subject<Frame>();
  const record = tap((sent) => merge(inbound, sent.pipe(ignoreElements())));
  record(outbound).subscribe();
  let open = 0;
  let posted: HttpCall | undefined;

  const carried =
    (injected: boolean, onEnd: (trip: Trip) => void = nothing): Carrier =>
    (call, sink) => {
      const sent: unknown = call.body === undefined ? undefined : JSON.parse(call.body);
      const heard: JsonObject[] = [];
      const eventIds: string[] = [];
      let status = 0;
      let header: (name: string) => string | undefined = nothing;
      let text = '';
      let over = false;
      const hear = (data: string): void => {
        const value: unknown = JSON.parse(data);
        for (const message of Array.isArray(value) ? (value as readonly unknown[]) : [value]) {
          if (!isObject(message) || overlooked(message)) continue;
          heard.push(message);
          inbound.next(message);
        }
      };
      const parser = createParser({
        onEvent: ({ id, event, data }) => {
          if (id !== undefined) eventIds.push(id);
          if (data !== '' && (event === undefined || event === 'message')) hear(data);
        },
      });
      const ended = (end: Trip['end']): void => {
        over = true;
        open -= 1;
        const trip: Trip = { call, injected, sent, status, header, heard, eventIds, text, end };
        faults.push(...judge(trip));
        onEnd(trip);
      };

      open += 1;
      if (call.method === 'POST' && !injected) posted = call;
      if (sent !== undefined) outbound.next(sent as Frame);
      const giveUp = carrier(call, {
        head: (code, named) => {
          status = code;
          header = named;
          sink.head(code, named);
        },
        text: (part) => {
          if (isStream(header)) parser.feed(part);
          else text += part;
          sink.text(part);
        },
        end: () => {
          if (call.method === 'POST' && !streamsOnly && isJson(header)) hear(text);
          ended('whole');
          sink.end();
        },
        failed: (error) => {
          ended('broken');
          sink.failed(error);
        },
      });
      return () => {
        if (!over) {
          const asked = isRequest(sent) ? sent['id'] : undefined;
          const answered = heard.some((message) => message['id'] === asked && !('method' in message));
          ended('given up');
          if (closingCancels && asked !== undefined && !answered) outbound.next(cancelled(asked));
        }
        giveUp();
      };
    };

  return {
    wire: {
      get overheard() {
        return record.overheard;
      },
      get open() {
        return open;
      },
      get faults() {
        return [...faults];
      },
      next: (fits, from) => record.next(fits, from),
    },
    carrier: carried(false),
    inject: (call, onEnd) => carried(true, onEnd)(call, deaf),
    posted: () => posted,
  };
};

const typeOf = (header: (name: string) => string | undefined): string => header('content-type') ?? '';
const isStream = (header: (name: string) => string | undefined): boolean =>
  typeOf(header).startsWith('text/event-stream');
const isJson = (header: (name: string) => string | undefined): boolean => typeOf(header).startsWith('application/json');

const cancelled = (requestId: unknown): Frame => ({
  jsonrpc: '2.0',
  method: 'notifications/cancelled',
  params: { requestId },
});
