/**
 * What a request must be before anybody reads its body: meant for this server, sent by somebody who may, of a kind that it
 * takes.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#security-warning
 */
import { hostAdmitted, originAdmitted, type AdmissionOptions } from '../admission.ts';
import { refusal } from './answer.ts';
import { preflight, readable } from './cors.ts';
import type { HttpRequest, Refusal } from './message.ts';

/** Who may come, and for what. */
export interface VisitorOptions extends AdmissionOptions {
  /** The address or name that the server is bound to. Default: this machine. */
  readonly bound?: (() => string) | undefined;
  /** The methods that are taken, besides OPTIONS. */
  readonly methods: readonly string[];
}

export interface AdmitOptions extends VisitorOptions {
  /** The longest body taken, in bytes. */
  readonly maxBytes: number;
}

type Refused = (request: HttpRequest) => Refusal | undefined;

/** Refuses what is meant for another server, pages that may not use this one, and what is not done here; answers OPTIONS. */
export const visitors = (options: VisitorOptions): Refused => {
  const { bound = () => '127.0.0.1', methods } = options;
  const allow = [...methods, 'OPTIONS'].join(', ');
  const isHost = latest((host) => hostAdmitted(host, bound(), options));
  const isOrigin = latest((origin) => originAdmitted(origin, bound(), options));

  return ({ method, headers }) => {
    if (!isHost(headers['host'] ?? headers[':authority']))
      return refusal(403, 'the Host header names no host that this server answers for');
    if (!isOrigin(headers['origin'])) return refusal(403, 'pages of this origin may not use this server');
    if (method === 'OPTIONS') return preflight(headers, allow, options.allowedOrigins);
    return methods.includes(method)
      ? undefined
      : refusal(405, `${method.slice(0, 20)} is not served here`, undefined, { allow });
  };
};

/** Says what a request is refused with; undefined lets it in. */
export const admission = (options: AdmitOptions): Refused => {
  const { maxBytes } = options;
  const turnedAway = visitors(options);

  const unfit = ({ method, headers }: HttpRequest): Refusal | undefined => {
    if (method === 'GET' && !takesEvents(headers['accept'])) return refusal(406, 'Accept must list text/event-stream');
    if (method !== 'POST') return undefined;
    if (!isJson(headers['content-type'])) return refusal(415, 'Content-Type must be application/json');
    if (!isPlain(headers['content-encoding'])) return refusal(415, 'Content-Encoding is not served here');
    if (!takesBoth(headers['accept'])) return refusal(406, 'Accept must list application/json and text/event-stream');
    return Number(headers['content-length'] ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
  };

  return (request) => {
    const refusal = turnedAway(request) ?? unfit(request);
    return refusal === undefined ? undefined : readable(refusal, request, options.allowedOrigins);
  };
};

/** What a body gets that turns out to be longer than it may. */
export const tooLarge = (maxBytes: number): Refusal =>
  refusal(413, `the body is longer than the ${maxBytes} bytes that are taken here`);

type Check = (value: string | undefined) => boolean;

/** Most requests say what the one before said. */
const latest = (check: Check): Check => {
  let last: string | undefined;
  let verdict: boolean | undefined;
  return (value) => {
    if (verdict !== undefined && value === last) return verdict;
    last = value;
    return (verdict = check(value));
  };
};

/** `application/jsonp` begins like it, and `text/plain` may be sent by any page without being asked (CVE-2026-33252). */
const isJson: Check = latest((type) =>
  /^application\/json *(?:; *charset *= *"?utf-?8"? *)?;?$/i.test(type?.trim() ?? ''),
);

/** Nothing is unpacked here: a small body could become a large one. */
const isPlain: Check = (encoding) => encoding === undefined || encoding.trim().toLowerCase() === 'identity';

/** What an Accept header lists, weights of nothing aside. Whoever sends none takes anything. */
const listed = (accept: string): readonly string[] =>
  accept
    .toLowerCase()
    .split(',')
    .filter((range) => !/; *q=0(?:\.0*)? *(?:;|$)/.test(range))
    .map((range) => range.replace(/;.*$/, '').trim());

const takes = (accept: string | undefined, ...types: readonly string[]): boolean => {
  if (accept === undefined) return true;
  const ranges = listed(accept.slice(0, 1000));
  return types.every((type) =>
    ranges.some((range) => range === type || range === '*/*' || range === `${type.split('/')[0] ?? ''}/*`),
  );
};

const takesEvents: Check = latest((accept) => accept !== undefined && takes(accept, 'text/event-stream'));
const takesBoth: Check = latest((accept) => takes(accept, 'application/json', 'text/event-stream'));
