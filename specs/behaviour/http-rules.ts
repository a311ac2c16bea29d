/** What HTTP itself demands of each request and its answer, so that whatever the suite does is held against it, too. */
import { codes, type JsonObject } from '../../lib/index.ts';
import { isObject } from '../../lib/frame/frame.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import type { HttpTapOptions, Trip } from './http-tap.ts';

export type Judge = HttpTapOptions['judge'];

/** How an answer comes where nothing but a choice of the server's decides. */
export type Form = 'json' | 'events';

const isAnswer = (message: JsonObject): boolean => !('method' in message) && 'id' in message;
const isStream = ({ header }: Trip): boolean => header('content-type') === 'text/event-stream';
const requestIn = ({ sent }: Trip): JsonObject | undefined =>
  isObject(sent) && typeof sent['method'] === 'string' && 'id' in sent ? sent : undefined;
const told = ({ call: { method, headers }, sent, status }: Trip): string =>
  `${method} ${JSON.stringify(sent)} ${JSON.stringify(headers)}: ${status}`;

/** All of them, each fault with the request that it is about. */
export const judges =
  (...all: readonly Judge[]): Judge =>
  (trip) =>
    all.flatMap((judge) => judge(trip).map((fault) => `${fault}: ${told(trip)}`));

/** What every revision of Streamable HTTP demands. */
export const streamable: Judge = (trip) => {
  const { call, injected, sent, status, heard, text, end } = trip;
  const faults: string[] = [];
  if (call.method !== 'POST') return faults;
  const request = requestIn(trip);
  const answers = heard.filter(isAnswer);
  if (!`${call.headers['accept']}`.includes('application/json, text/event-stream')) faults.push('accepts not both');
  if (request !== undefined) {
    if (answers.some(({ id }) => id !== request['id'])) faults.push('an answer to another request');
    const last = heard.findIndex(isAnswer);
    if (last >= 0 && last < heard.length - 1) faults.push('something follows the answer');
    if (isStream(trip) && status !== 200) faults.push('a stream with another status than 200');
  } else if (!injected || status === 202) {
    if (status !== 202 || text !== '' || heard.length > 0) faults.push('what asks for nothing was not just accepted');
  } else if (status !== 400 || answers.some(({ id }) => !isObject(sent) || id !== sent['id']))
    faults.push('what cannot be taken is refused with 400');
  if (end === 'broken') faults.push('the answer broke off');
  return faults;
};

const statuses: ReadonlyMap<unknown, number> = new Map([
  [codes.methodNotFound, 404],
  [codes.headerMismatch, 400],
  [codes.missingClientCapability, 400],
  [codes.unsupportedProtocolVersion, 400],
  [codes.invalidRequest, 400],
]);

/** 2026-07-28: each POST is by itself, and closing it is what cancels. */
export const modernHttp: Judge = (trip) => {
  const { call, injected, sent, status, header, heard, eventIds, end } = trip;
  const faults: string[] = [];
  const request = requestIn(trip);
  if (call.method !== 'POST') faults.push('only POST is left');
  if (!injected && isObject(sent) && sent['method'] === 'notifications/cancelled')
    faults.push('cancelled by a message (CAN-03)');
  if (eventIds.length > 0) faults.push('events with ids (HTTP26-19)');
  if (header('mcp-session-id') !== undefined || 'mcp-session-id' in call.headers) faults.push('a session (Matrix 4)');
  if (heard.some((message) => 'method' in message && 'id' in message))
    faults.push('the server asks by itself (HTTP26-13)');
  if (isStream(trip) && header('x-accel-buffering') !== 'no') faults.push('a stream that proxies buffer (HTTP26-16)');
  if (request === undefined) return faults;
  const params = isObject(request['params']) ? request['params'] : {};
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  if (call.headers['mcp-protocol-version'] !== meta[metaKeys.protocolVersion])
    faults.push('another version in the header (HTTP26-24)');
  const answer = heard.find(isAnswer);
  if (end === 'whole' && answer === undefined && heard.length > 0 && !heard.some(({ error }) => error !== undefined))
    faults.push('it ended without an answer');
  if (answer !== undefined && !isStream(trip)) {
    const code = isObject(answer['error']) ? answer['error']['code'] : undefined;
    const right = statuses.get(code) ?? 200;
    if (status !== right) faults.push(`the status should be ${right} (HTTP26-25, HTTP26-27, AMB-14)`);
  }
  return faults;
};

/** Handshake revisions: a session, if there is one, is named by whatever follows its opening. */
export const sessions = (): Judge => {
  const known = new Set<string>();
  let session: string | undefined;
  return ({ call, injected, sent, status, header, heard, eventIds }) => {
    const faults: string[] = [];
    const opens = isObject(sent) && sent['method'] === 'initialize' && !injected;
    if (opens) session = header('mcp-session-id');
    else if (call.headers['mcp-session-id'] !== session) faults.push('the session is not named (SHTTP-47)');
    for (const id of eventIds) {
      if (known.has(id)) faults.push(`event ${id} came twice (SHTTP-37, SHTTP-38)`);
      known.add(id);
    }
    if (call.method === 'GET' && call.headers['last-event-id'] === undefined && heard.some(isAnswer))
      faults.push('an answer where nothing was asked (SHTTP-34)');
    if (call.method === 'DELETE' && status !== 200) faults.push('the session was not ended (SHTTP-51)');
    return faults;
  };
};

/** Answers of tools come in this form, and in the other only where something is said before them. */
export const inForm =
  (form: Form): Judge =>
  (trip) => {
    const { status, heard, sent } = trip;
    if (!isObject(sent) || sent['method'] !== 'tools/call' || status !== 200 || heard.length === 0) return [];
    const [first] = heard;
    // What was refused at the door says nothing of how tools are answered.
    if (form === 'events') return isStream(trip) || first?.['error'] !== undefined ? [] : ['not a stream'];
    return isStream(trip) && first !== undefined && isAnswer(first) ? ['a stream for nothing but an answer'] : [];
  };

/** 2024-11-05: what is posted is accepted, and answered on the one stream. */
export const oldest: Judge = ({ call, injected, status, heard }) => {
  if (call.method !== 'POST') return [];
  if (status === 202 && heard.length === 0) return [];
  return injected && status === 400 ? [] : ['what was posted was not just accepted (SSE-03)'];
};
