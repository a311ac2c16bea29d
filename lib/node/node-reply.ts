/** Node's own requests and responses as an endpoint takes them: read and written directly, with nothing in between. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { refusal } from '../transport/http/answer.ts';
import { tooLarge } from '../transport/http/admit.ts';
import type { HttpDesk } from '../transport/http/desk.ts';
import type { Documents } from '../transport/http/documents.ts';
import type { HttpHandling, HttpHeaders, HttpReply, HttpRequest, Refusal } from '../transport/http/message.ts';
import { isLater, isRefusal } from '../transport/http/porter.ts';
import type { Knock } from '../exchange/guard.ts';
import { codes, RpcError } from '../frame/errors.ts';

/** Anything that is a request of Node's: a framework may have read and parsed the body already. */
export type NodeRequest = IncomingMessage & { readonly body?: unknown; readonly originalUrl?: unknown };

type NodeHeaders = NodeRequest['headers'];

/** Only `set-cookie` comes as a list, which no request has. */
const arePlain = (headers: NodeHeaders): headers is NodeHeaders & HttpHeaders => headers['set-cookie'] === undefined;

const headersOf = (headers: NodeHeaders): HttpHeaders => {
  if (arePlain(headers)) return headers;
  const { 'set-cookie': _, ...rest } = headers;
  return arePlain(rest) ? rest : {};
};

/**
 * What was said twice, said twice: of two `authorization` headers Node keeps the first, and whoever stands before this may
 * have looked at the other.
 */
const unabridged = (headers: HttpHeaders, { rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>): HttpHeaders => {
  let first: string | undefined;
  let all: string | undefined;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== authorization.length || name.toLowerCase() !== authorization) continue;
    const value = rawHeaders[at + 1] ?? '';
    if (first === undefined) first = value;
    else all = `${all ?? first}, ${value}`;
  }
  return all === undefined ? headers : { ...headers, authorization: all };
};

const authorization = 'authorization';

/** The head of a request as a guard is to see it. */
export const knockOf = (request: NodeRequest): Knock => ({
  method: request.method ?? 'GET',
  path: pathOf(request),
  headers: unabridged(headersOf(request.headers), request),
});

/** Of its URL, whatever a framework has taken off that. One that is absolute (RFC 9112) is the same without its origin. */
export const pathOf = ({ originalUrl, url = '' }: NodeRequest): string => {
  const whole = typeof originalUrl === 'string' ? originalUrl : url;
  const target = whole.startsWith('/') ? whole : whole.replace(/^https?:\/\/[^/?#]*/i, '');
  const end = target.search(/[?#]/);
  return end < 0 ? target : target.slice(0, end);
};

/** What an endpoint needs of a request. */
const requestOf = ({ method = 'GET', headers }: NodeRequest): HttpRequest => ({ method, headers: headersOf(headers) });

/** Headers as Node writes them fastest: names and values in turn. Made once for each set of headers. */
const written = new WeakMap<HttpHeaders, readonly string[]>();

const listOf = (headers: HttpHeaders): readonly string[] => {
  const known = written.get(headers);
  if (known !== undefined) return known;
  const list = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  written.set(headers, list);
  return list;
};

class NodeReply implements HttpReply {
  readonly #response: ServerResponse;
  /** Whether all has been said. */
  ended = false;

  constructor(response: ServerResponse) {
    this.#response = response;
  }

  send(status: number, headers: HttpHeaders, body: string): void {
    if (this.ended) return;
    this.ended = true;
    const response = this.#response;
    if (response.headersSent || response.destroyed) return void response.destroy();
    const list = listOf(headers);
    response.writeHead(
      status,
      status === 204 ? [...list] : [...list, 'content-length', String(Buffer.byteLength(body))],
    );
    response.end(body);
  }

  open(status: number, headers: HttpHeaders): void {
    if (!this.#response.destroyed) this.#response.writeHead(status, [...listOf(headers)]);
  }

  write(text: string): boolean {
    return this.ended || this.#response.destroyed || this.#response.write(text);
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }
}

/** Who sent a request, as whatever stands before this has established. */
export type Principal = (request: NodeRequest) => string | undefined;

/** Hands one request of Node's to an endpoint. */
export const takeRequest = (
  endpoint: HttpDesk,
  request: NodeRequest,
  response: ServerResponse,
  principal?: Principal,
): void => {
  const reply = new NodeReply(response);
  const unknown = requestOf(request);
  const refused = endpoint.admit(unknown);
  if (refused !== undefined) return turnAway(request, reply, refused);
  if (endpoint.identify === undefined)
    return takeFrom(named(endpoint, unknown, request, principal), endpoint, request, response, reply);
  const { path, ...knock } = knockOf(request);
  const whose = endpoint.identify(knock, path);
  if (!isLater(whose)) return takeFrom(whose, endpoint, request, response, reply);
  void whose.then((identified) => {
    // Nothing is begun for whoever has left in the meantime.
    if (!response.destroyed && !request.socket.destroyed) takeFrom(identified, endpoint, request, response, reply);
  });
};

/** Whose request it is, as whatever stands before this says. */
const named = (
  endpoint: HttpDesk,
  unknown: HttpRequest,
  request: NodeRequest,
  principal: Principal | undefined,
): HttpRequest | Refusal => {
  try {
    // Only of those who are let in at all: a browser that asks first has nothing to prove it with.
    const sender = principal?.(request);
    return sender === undefined ? unknown : { ...unknown, principal: sender };
  } catch (error) {
    return endpoint.readable(endpoint.unknown(error), unknown);
  }
};

/** Takes a request whose sender is known, or turns it away. */
const takeFrom = (
  asked: HttpRequest | Refusal,
  endpoint: HttpDesk,
  request: NodeRequest,
  response: ServerResponse,
  reply: NodeReply,
): void => {
  if (isRefusal(asked)) return turnAway(request, reply, asked);
  const take = (body: string): void => {
    const handling = endpoint.handle(asked, body, reply);
    if (!reply.ended) follow(request, response, reply, handling);
  };
  if (asked.method !== 'POST') return take('');
  if (request.body !== undefined) return take(textOf(request.body));
  read(request, endpoint.maxBytes, take, (refused) => turnAway(request, reply, endpoint.readable(refused, asked)));
};

/** Answers with what anybody may read. False where there is nothing of it at this path. */
export const answersWith = (documents: Documents, request: NodeRequest, response: ServerResponse): boolean => {
  const document = documents(pathOf(request), requestOf(request));
  if (document !== undefined) turnAway(request, new NodeReply(response), document);
  return document !== undefined;
};

/** Frameworks parse JSON before anybody can look at it. */
const textOf = (body: unknown): string => {
  if (typeof body === 'string') return body;
  return Buffer.isBuffer(body) ? body.toString('utf8') : (JSON.stringify(body) ?? '');
};

/** Until the answer is complete, its reader may go away, or stop to read. */
const follow = ({ socket }: NodeRequest, response: ServerResponse, reply: NodeReply, handling: HttpHandling): void => {
  const gone = (): void => {
    if (!reply.ended) handling.closed();
    reply.ended = true;
  };
  response.on('error', ignore);
  // What stands before this may have taken its time, and Node tells of an end once.
  if (response.destroyed || socket.destroyed) return gone();
  response.on('drain', () => handling.drained());
  response.on('close', gone);
  if (response.socket === null) response.once('close', inLine(socket, gone));
};

/** Those whose turn on their connection has not come: when it breaks, Node tells only the one whose turn it is. */
const lines = new WeakMap<Socket, Set<() => void>>();

/** Calls this when the connection has closed. Returns what takes it out of the line. */
const inLine = (socket: Socket, gone: () => void): (() => void) => {
  const line = lines.get(socket) ?? new Set();
  if (!lines.has(socket)) {
    lines.set(socket, line);
    // One for all of them: there may be thousands.
    socket.once('close', () => {
      for (const one of line) one();
    });
  }
  line.add(gone);
  return () => line.delete(gone);
};

/** Says no. What is left of a body is not read, so nothing else can come over this connection. */
const turnAway = (request: NodeRequest, reply: HttpReply, { status, headers, body }: Refusal): void => {
  const unread = !request.readableEnded && request.headers['content-length'] !== '0' && request.method === 'POST';
  reply.send(status, unread ? { ...headers, connection: 'close' } : headers, body);
  request.resume();
};

const read = (
  request: NodeRequest,
  maxBytes: number,
  take: (body: string) => void,
  refuse: (refusal: Refusal) => void,
): void => {
  let bytes: Buffer | undefined;
  let size = 0;
  const onData = (chunk: Buffer): void => {
    const before = size;
    size += chunk.length;
    if (size > maxBytes) {
      request.off('data', onData).off('end', onEnd);
      bytes = undefined;
      return refuse(tooLarge(maxBytes));
    }
    if (bytes === undefined) return void (bytes = chunk);
    // Copied, because to keep a piece takes a hundred bytes besides, and a body may come byte by byte.
    if (bytes.length < size) {
      const larger = Buffer.allocUnsafe(Math.min(2 * size, maxBytes));
      bytes.copy(larger, 0, 0, before);
      bytes = larger;
    }
    chunk.copy(bytes, before);
  };
  const onEnd = (): void => {
    const body = bytes?.subarray(0, size);
    // An answer may stay open for long, and its request with it.
    bytes = undefined;
    request.off('data', onData).off('end', onEnd);
    if (body === undefined) return take('');
    if (isUtf8(body)) return take(body.toString('utf8'));
    refuse(refusal(400, new RpcError({ code: codes.parseError, message: 'the body is not UTF-8' })));
  };
  request.on('data', onData).on('end', onEnd).on('error', ignore);
};

const ignore = (): void => undefined;
