/** Node's own requests and responses as an endpoint takes them: read and written directly, with nothing in between. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { refusal } from '../transport/http/answer.ts';
import { tooLarge } from '../transport/http/admit.ts';
import type { HttpEndpoint } from '../transport/http/endpoint.ts';
import type { HttpHandling, HttpHeaders, HttpReply, HttpRequest, Refusal } from '../transport/http/message.ts';
import { codes, RpcError } from '../frame/errors.ts';

/** Anything that is a request of Node's: a framework may have read and parsed the body already. */
export type NodeRequest = IncomingMessage & { readonly body?: unknown };

type NodeHeaders = NodeRequest['headers'];

/** Only `set-cookie` comes as a list, which no request has. */
const arePlain = (headers: NodeHeaders): headers is NodeHeaders & HttpHeaders => headers['set-cookie'] === undefined;

const headersOf = (headers: NodeHeaders): HttpHeaders => {
  if (arePlain(headers)) return headers;
  const { 'set-cookie': _, ...rest } = headers;
  return arePlain(rest) ? rest : {};
};

/** What an endpoint needs of a request. */
export const requestOf = ({ method = 'GET', headers }: NodeRequest, principal?: string): HttpRequest =>
  principal === undefined
    ? { method, headers: headersOf(headers) }
    : { method, headers: headersOf(headers), principal };

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

/** Hands one request of Node's to an endpoint. */
export const takeRequest = (
  endpoint: HttpEndpoint,
  request: NodeRequest,
  response: ServerResponse,
  principal?: string,
): void => {
  const asked = requestOf(request, principal);
  const reply = new NodeReply(response);
  const refused = endpoint.admit(asked);
  if (refused !== undefined) return turnAway(request, reply, refused);
  const take = (body: string): void => {
    const handling = endpoint.handle(asked, body, reply);
    if (!reply.ended) follow(response, reply, handling);
  };
  if (asked.method !== 'POST') return take('');
  if (request.body !== undefined) return take(textOf(request.body));
  read(request, endpoint.maxBytes, take, (refused) => turnAway(request, reply, refused));
};

/** Frameworks parse JSON before anybody can look at it. */
const textOf = (body: unknown): string => {
  if (typeof body === 'string') return body;
  return Buffer.isBuffer(body) ? body.toString('utf8') : (JSON.stringify(body) ?? '');
};

/** Until the answer is complete, its reader may go away, or stop to read. */
const follow = (response: ServerResponse, reply: NodeReply, handling: HttpHandling): void => {
  response.on('drain', () => handling.drained());
  response.on('error', ignore);
  response.once('close', () => {
    if (!reply.ended) handling.closed();
    reply.ended = true;
  });
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
  let first: Buffer | undefined;
  let more: Buffer[] | undefined;
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size > maxBytes) {
      request.off('data', onData).off('end', onEnd);
      return refuse(tooLarge(maxBytes));
    }
    if (first === undefined) first = chunk;
    else (more ??= [first]).push(chunk);
  };
  const onEnd = (): void => {
    const bytes = more === undefined ? first : Buffer.concat(more, size);
    if (bytes === undefined) return take('');
    if (isUtf8(bytes)) return take(bytes.toString('utf8'));
    refuse(refusal(400, new RpcError({ code: codes.parseError, message: 'the body is not UTF-8' })));
  };
  request.on('data', onData).on('end', onEnd).on('error', ignore);
};

const ignore = (): void => undefined;
