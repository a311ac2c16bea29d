/** An HTTP endpoint without a network, in virtual time: what is asked of it by hand, and what becomes of each reply. */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { VirtualTimeScheduler } from 'rxjs';
import { onTestFinished } from 'vitest';
import type { ServeEvent, ServeOptions } from '../../../lib/era/serve.ts';
import type { Exchange } from '../../../lib/exchange/exchange.ts';
import type { JsonObject } from '../../../lib/frame/frame.ts';
import { metaKeys } from '../../../lib/protocol/revisions.ts';
import { httpEndpoint, type EndpointOptions, type HttpEndpoint } from '../../../lib/transport/http/endpoint.ts';
import type { HttpHandling, HttpHeaders, HttpRequest } from '../../../lib/transport/http/message.ts';
import { fakeReply, type FakeReply } from './fake-reply.ts';

/** One request, from its sender's side. */
export interface Asked {
  readonly reply: FakeReply;
  /** Whether it was turned away before its body was read. */
  readonly turnedAway: boolean;
  /** What the body says, where it is one JSON object. */
  readonly json: () => JsonObject;
  /** All events so far, those that say nothing but their id included. */
  readonly events: () => readonly EventSourceMessage[];
  /** The messages of the stream so far. */
  readonly frames: () => readonly JsonObject[];
  /** The connection breaks. */
  readonly leave: () => void;
  /** The reader reads again. */
  readonly drain: () => void;
}

export interface Desk {
  readonly endpoint: HttpEndpoint;
  readonly told: readonly ServeEvent[];
  readonly ask: (request: Partial<HttpRequest>, body?: unknown) => Asked;
  /** A POST of the newest revision, with all headers that belong to it; those given replace them. */
  readonly modern: (frame: JsonObject, headers?: HttpHeaders, principal?: string) => Asked;
  readonly post: (frame: unknown, headers?: HttpHeaders, principal?: string) => Asked;
  readonly get: (headers?: HttpHeaders, principal?: string) => Asked;
  readonly remove: (headers?: HttpHeaders, principal?: string) => Asked;
  /** Opens a session and tells that it is open; the headers of whatever follows. */
  readonly session: (revision?: string, capabilities?: object, principal?: string) => HttpHeaders;
  /** Lets time pass: what is due until then happens. */
  readonly pass: (ms: number) => void;
}

export const modernMeta: JsonObject = { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} };

export const request = (id: unknown, method: string, params?: JsonObject): JsonObject => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? undefined : { params }),
});
export const notice = (method: string, params?: JsonObject): JsonObject => ({
  jsonrpc: '2.0',
  method,
  ...(params === undefined ? undefined : { params }),
});
export const call = (id: unknown, name: string, args: JsonObject = {}, more: JsonObject = {}): JsonObject =>
  request(id, 'tools/call', { name, arguments: args, ...more });
export const initialize = (protocolVersion = '2025-11-25', capabilities: object = {}, id: unknown = 'init') =>
  request(id, 'initialize', { protocolVersion, capabilities, clientInfo: { name: 'old', version: '1' } });

/** The same request as a client of 2026-07-28 says it. */
export const modernized = (frame: JsonObject): JsonObject => {
  const params = (frame['params'] ?? {}) as JsonObject;
  return { ...frame, params: { ...params, _meta: { ...modernMeta, ...(params['_meta'] as JsonObject | undefined) } } };
};

/** The headers that repeat what the frame says. */
export const headersOf = (frame: JsonObject): Record<string, string> => {
  const params = (frame['params'] ?? {}) as JsonObject;
  const name = params['name'] ?? params['uri'];
  return {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': String(frame['method']),
    ...(typeof name === 'string' ? { 'mcp-name': name } : undefined),
  };
};

/** What is written goes out at the end of the microtasks. */
export const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Resolves once something holds; a timer of its own would be one that the spec leaves. Fails where it does not. */
export const holds = async (condition: () => boolean): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`it never held: ${String(condition)}`);
    await turn();
  }
};

export const both = 'application/json, text/event-stream';

const given = (headers: HttpHeaders): HttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));

export const desk = (exchange: Exchange, options: EndpointOptions & ServeOptions = {}): Desk => {
  const scheduler = new VirtualTimeScheduler();
  const told: ServeEvent[] = [];
  const endpoint = httpEndpoint(exchange, options, { scheduler, tell: (event) => void told.push(event) });
  onTestFinished(() => endpoint.close());

  const ask = ({ method = 'POST', headers = {}, principal }: Partial<HttpRequest>, body?: unknown): Asked => {
    const reply = fakeReply();
    const asked: HttpRequest = {
      method,
      headers: given({ host: '127.0.0.1:4000', ...headers }),
      ...(principal === undefined ? undefined : { principal }),
    };
    const refused = endpoint.admit(asked);
    const text = typeof body === 'string' ? body : (JSON.stringify(body) ?? '');
    let handling: HttpHandling | undefined;
    if (refused === undefined) handling = endpoint.handle(asked, text, reply);
    else reply.send(refused.status, refused.headers, refused.body);
    const events = (): readonly EventSourceMessage[] => {
      const seen: EventSourceMessage[] = [];
      createParser({ onEvent: (event) => seen.push(event) }).feed(reply.text);
      return seen;
    };
    return {
      reply,
      turnedAway: refused !== undefined,
      json: () => JSON.parse(reply.text) as JsonObject,
      events,
      frames: () => events().flatMap(({ data }) => (data === '' ? [] : [JSON.parse(data) as JsonObject])),
      leave: () => {
        if (reply.state !== 'ended') handling?.closed();
      },
      drain: () => {
        reply.writable = true;
        handling?.drained();
      },
    };
  };

  const post: Desk['post'] = (frame, headers = {}, principal) =>
    ask(
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: both, ...headers },
        ...(principal === undefined ? undefined : { principal }),
      },
      frame,
    );
  const bare =
    (method: string, own: HttpHeaders): Desk['get'] =>
    (headers = {}, principal) =>
      ask({ method, headers: { ...own, ...headers }, ...(principal === undefined ? undefined : { principal }) });

  return {
    endpoint,
    told,
    ask,
    post,
    modern: (frame, headers = {}, principal) => {
      const whole = modernized(frame);
      return post(whole, { ...headersOf(whole), ...headers }, principal);
    },
    get: bare('GET', { accept: 'text/event-stream' }),
    remove: bare('DELETE', {}),
    session: (revision = '2025-11-25', capabilities = {}, principal) => {
      const opened = post(initialize(revision, capabilities), {}, principal);
      const headers: HttpHeaders = {
        'mcp-session-id': opened.reply.headers['mcp-session-id'],
        ...(revision < '2025-06-18' ? undefined : { 'mcp-protocol-version': revision }),
      };
      post(notice('notifications/initialized'), headers, principal);
      return headers;
    },
    pass: (ms) => {
      scheduler.schedule(() => undefined, ms);
      scheduler.maxFrames = scheduler.frame + ms;
      scheduler.flush();
    },
  };
};
