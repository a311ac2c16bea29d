/** Servers over HTTP that say what a spec has them say, without sockets: a carrier whose other end is held by hand. */
import type { Observable } from 'rxjs';
import { connect, type Client, type ConnectOptions, type JsonObject } from 'rxmcp';
import type { Carrier, HttpCall, HttpSink } from '../../../lib/transport/remote/carrier.ts';
import { remote, type RemoteOptions } from '../../../lib/transport/remote/remote.ts';
import { ConnectionClosed } from '../../../lib/frame/errors.ts';

export const url = 'https://far.example/mcp';

/** One HTTP request, as the server has it. */
export class Call {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: JsonObject;
  aborted = false;
  over = false;
  readonly #sink: HttpSink;

  constructor(call: HttpCall, sink: HttpSink) {
    this.method = call.method;
    this.url = call.url;
    this.headers = call.headers;
    this.body = call.body === undefined ? {} : (JSON.parse(call.body) as JsonObject);
    this.#sink = sink;
  }

  get id(): unknown {
    return this.body['id'];
  }
  /** What it asks for, or its HTTP method. */
  get asks(): string {
    return this.body['method'] === undefined ? this.method : String(this.body['method']);
  }
  get meta(): JsonObject {
    return ((this.body['params'] as JsonObject | undefined)?.['_meta'] ?? {}) as JsonObject;
  }

  head(status: number, headers: Readonly<Record<string, string>> = {}): this {
    if (!this.aborted) this.#sink.head(status, (name) => headers[name]);
    return this;
  }
  text(...parts: readonly string[]): this {
    for (const part of parts) if (!this.aborted) this.#sink.text(part);
    return this;
  }
  end(): this {
    this.over = true;
    if (!this.aborted) this.#sink.end();
    return this;
  }
  fail(unopened = false): this {
    this.over = true;
    const error = new ConnectionClosed({ message: 'the wire broke', ...(unopened ? { unopened } : undefined) });
    if (!this.aborted) this.#sink.failed(error);
    return this;
  }
  whole(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): this {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    this.head(status, { 'content-type': 'application/json', ...headers });
    return (text === '' ? this : this.text(text)).end();
  }
  /** A result, in one piece. */
  answer(result: JsonObject, headers: Readonly<Record<string, string>> = {}): this {
    return this.whole(200, { jsonrpc: '2.0', id: this.id, result }, headers);
  }
  /** An error of JSON-RPC, with a status. */
  refuse(status: number, code: number, data?: unknown, id: unknown = this.id): this {
    const error = { code, message: 'no', ...(data === undefined ? undefined : { data }) };
    return this.whole(status, { jsonrpc: '2.0', ...(id === undefined ? undefined : { id }), error });
  }
  accept(): this {
    return this.head(202).end();
  }
  stream(headers: Readonly<Record<string, string>> = {}): this {
    return this.head(200, { 'content-type': 'text/event-stream', ...headers });
  }
  /** An event with a message in it. */
  say(frame: unknown, lines = ''): this {
    return this.text(`${lines}event: message\ndata: ${JSON.stringify(frame)}\n\n`);
  }
  /** The result, as an event. */
  result(result: JsonObject, lines = ''): this {
    return this.say({ jsonrpc: '2.0', id: this.id, result }, lines);
  }
}

/** Where requests end up. Nothing is answered before `pump`, as no carrier answers before it has returned. */
export const far = (respond: (call: Call) => void = () => undefined) => {
  const calls: Call[] = [];
  let next = 0;
  const carrier: Carrier = (call, sink) => {
    const made = new Call(call, sink);
    calls.push(made);
    return () => {
      made.aborted = true;
    };
  };
  return {
    carrier,
    calls,
    /** Lets the server respond to whatever it has not yet seen, and to what follows from that. */
    pump: () => {
      for (; next < calls.length; next += 1) {
        const call = calls[next];
        if (call !== undefined && !call.aborted) respond(call);
      }
    },
    asked: () => calls.map(({ asks }) => asks),
    last: (): Call => {
      const call = calls.at(-1);
      if (call === undefined) throw new Error('nothing was asked');
      return call;
    },
    /** Requests that are still open. */
    open: () => calls.filter(({ over, aborted }) => !over && !aborted),
  };
};

export const discovered = (supportedVersions: readonly string[] = ['2026-07-28']): JsonObject => ({
  resultType: 'complete',
  supportedVersions,
  capabilities: { tools: { listChanged: true }, prompts: {}, resources: { subscribe: true } },
  ttlMs: 0,
  cacheScope: 'private',
});

export const done: JsonObject = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] };

export const shaken = (protocolVersion: string): JsonObject => ({
  protocolVersion,
  capabilities: { tools: { listChanged: true }, resources: { subscribe: true }, logging: {} },
  serverInfo: { name: 'old', version: '1' },
});

/** What a connection comes to, as far as it has come. */
export const dial = (server: ReturnType<typeof far>, options: RemoteOptions & ConnectOptions = {}) => {
  const seen: { client?: Client; error?: unknown; complete?: boolean } = {};
  const { retry, headers, maxBytes, openMs, auth, ...rest } = options;
  const endpoint = remote(url, {
    carrier: server.carrier,
    retry: { jitter: 0, ...retry },
    ...(headers === undefined ? undefined : { headers }),
    ...(maxBytes === undefined ? undefined : { maxBytes }),
    ...(openMs === undefined ? undefined : { openMs }),
    ...(auth === undefined ? undefined : { auth }),
  });
  const again = () => {
    const subscription = connect(endpoint, rest).subscribe({
      next: (client) => (seen.client = client),
      error: (failure: unknown) => (seen.error = failure),
      complete: () => (seen.complete = true),
    });
    server.pump();
    return () => subscription.unsubscribe();
  };
  const close = again();
  return {
    seen,
    close,
    again,
    get client(): Client {
      if (seen.client === undefined) throw new Error('not connected', { cause: seen.error });
      return seen.client;
    },
  };
};

/** What a stream comes to. */
export const follow = <T>(source: Observable<T>) => {
  const seen: { values: T[]; error?: unknown; complete?: true } = { values: [] };
  const subscription = source.subscribe({
    next: (value) => seen.values.push(value),
    error: (failure: unknown) => (seen.error = failure),
    complete: () => (seen.complete = true),
  });
  return { seen, stop: () => subscription.unsubscribe() };
};
