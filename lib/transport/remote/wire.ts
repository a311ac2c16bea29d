/** What all requests to one server have in common: where they go, what carries them, their headers and bounds. */
import { of, type Observable } from 'rxjs';
import { ConnectionClosed, Misconfigured } from '../../frame/errors.ts';
import type { Schedule } from '../schedule.ts';
import type { Authorization, Resource } from './authorizer.ts';
import { authorizing } from './authorizing.ts';
import type { Carrier, HttpCall, HttpSink } from './carrier.ts';
import { LastWords } from './last-words.ts';

/** Headers that are sent along: themselves, or made anew for each request. */
export type HeadersOption =
  | Readonly<Record<string, string>>
  | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** What carries HTTP requests, what goes along with them, and their bounds. */
export interface WireOptions {
  /** What makes HTTP requests. Default: `fetchCarrier()`; in `rxmcp/node` `agentCarrier()`. */
  readonly carrier?: Carrier | undefined;
  /** Sent with every request, as `authorization`; a function is asked each time. What the protocol itself sends wins. */
  readonly headers?: HeadersOption | undefined;
  /** Proves who we are, where the server asks: `oauth(…)` of `rxmcp/auth`, or another. Default: nobody does. */
  readonly auth?: Authorization | undefined;
  /** The longest answer, or event of a stream, in characters. Default 16 Mi. */
  readonly maxBytes?: number | undefined;
  /**
   * How long the server may take to begin its answer where nobody else looks at the clock, in milliseconds: to
   * subscriptions, notifications and the opening of an old stream; and how long what it says with a refusal may take.
   * Calls have limits of their own. Default 10,000.
   */
  readonly openMs?: number | undefined;
  /**
   * When broken streams are tried again. Default 250 ms, twice as long each time, 30 s at most; `attempts` is 5 for
   * subscriptions since 2026-07-28, after which the connection fails, and unlimited before.
   */
  readonly retry?: Schedule | undefined;
}

export interface Wire {
  readonly url: string;
  readonly maxBytes: number;
  readonly openMs: number;
  readonly retry: Schedule;
  /** Carries one request, with the headers of the user. */
  readonly carry: (call: HttpCall, sink: HttpSink) => () => void;
  readonly lastWords: LastWords;
  /** Whether somebody is being asked on account of it: clocks stand still meanwhile. Emits at once. */
  readonly held$: Observable<boolean>;
  /** What we declare because of how we prove who we are. */
  readonly extensions: Authorization['extensions'];
}

/** How long the last words of a connection may take, in milliseconds. */
export const flushMs = 2_000;

/**
 * @param standard - what carries requests where nothing else is given
 * @param carrierFor - what carries those to authorization servers. Default: the same
 * @throws {@link Misconfigured} where the URL is not one of http or https, or holds credentials
 */
export const wireOf = (
  url: string | URL,
  options: WireOptions,
  standard: Carrier,
  carrierFor?: Resource['carrierFor'],
): Wire => {
  const { headers = {}, maxBytes = 16 * 1024 * 1024, openMs = 10_000, retry = {}, auth } = options;
  const { carrier = standard } = options;
  const server = checked(url);
  const authorizer = auth?.authorizerFor({ url: server, carrierFor: carrierFor ?? (() => carrier) });
  return {
    url: server,
    maxBytes,
    openMs,
    retry,
    carry: carrying(authorizer === undefined ? carrier : authorizing(carrier, authorizer), headers),
    lastWords: new LastWords(),
    held$: authorizer?.held$ ?? of(false),
    extensions: auth?.extensions,
  };
};

const carrying = (carrier: Carrier, headers: HeadersOption): Wire['carry'] => {
  const under = (given: Readonly<Record<string, string>>, call: HttpCall): HttpCall => ({
    method: call.method,
    url: call.url,
    headers: Object.assign({}, given, call.headers),
    body: call.body,
  });
  if (typeof headers !== 'function') {
    const given = lowerCased(headers);
    return Object.keys(given).length === 0 ? carrier : (call, sink) => carrier(under(given, call), sink);
  }
  return (call, sink) => {
    let abort: (() => void) | undefined;
    let stopped = false;
    const carry = (given: Readonly<Record<string, string>>): void => {
      if (!stopped) abort = carrier(under(lowerCased(given), call), sink);
    };
    const failed = (cause: unknown): void => {
      const message = `the headers of a request could not be made: ${cause instanceof Error ? cause.message : String(cause)}`;
      if (!stopped) sink.failed(new ConnectionClosed({ message, cause, unopened: true }));
    };
    try {
      const given = headers();
      if (isPromise(given)) given.then(carry).catch(failed);
      else carry(given);
    } catch (error) {
      queueMicrotask(() => failed(error));
    }
    return () => {
      stopped = true;
      abort?.();
    };
  };
};

const isPromise = <T extends object>(value: T | Promise<T>): value is Promise<T> =>
  'then' in value && typeof value.then === 'function';

const lowerCased = (headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
  const lower: Record<string, string> = {};
  for (const name of Object.keys(headers)) lower[name.toLowerCase()] = headers[name] ?? '';
  return lower;
};

const checked = (given: string | URL): string => {
  // What stands before an @ is nobody's business.
  const shown = JSON.stringify(String(given).replace(/^.*@/, '…@').slice(0, 100));
  let url: URL;
  try {
    url = new URL(given);
  } catch {
    throw new Misconfigured({ message: `${shown} is no URL: it must be whole, like "https://weather.example/mcp"` });
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw new Misconfigured({ message: `${url.protocol} is not spoken here: the URL must begin with http: or https:` });
  if (url.username !== '' || url.password !== '')
    throw new Misconfigured({ message: 'credentials do not belong into a URL: give the header "authorization"' });
  url.hash = '';
  return url.href;
};
