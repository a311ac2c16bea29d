/** A server of 2026-07-28 over HTTP, as an exchange: each request is a POST of its own. */
import { Observable } from 'rxjs';
import { modernMeta, type DialOptions } from '../../era/dial.ts';
import type { Context, Exchange, Request } from '../../exchange/exchange.ts';
import type { Stamp } from '../../exchange/multiplex.ts';
import { ConnectionClosed } from '../../frame/errors.ts';
import { isObject } from '../../frame/frame.ts';
import { encodeHeader } from '../../protocol/header-value.ts';
import { methods, type MethodTable } from '../../protocol/methods.ts';
import { latestRevision, type ModernRevision } from '../../protocol/revisions.ts';
import { Answer } from './answer.ts';
import { ModernPost, type PostOffice } from './modern-post.ts';
import type { Wire } from './wire.ts';

export class ModernDoor {
  readonly #wire: Wire;
  readonly #options: DialOptions;
  readonly #table: MethodTable;
  /** In any order. A Set of what comes and goes with every call would keep it from being collected while it is young. */
  readonly #posts: ModernPost[] = [];
  readonly #office: PostOffice;
  #revision: ModernRevision = latestRevision;
  #stamp: Stamp;
  /** Headers that are the same for each request of a method. */
  #headers = new Map<string, Readonly<Record<string, string>>>();
  #closed: ConnectionClosed | undefined;
  #next = 0;
  #undiscoverable = false;

  constructor(wire: Wire, options: DialOptions) {
    this.#wire = wire;
    this.#options = options;
    this.#table = options.table ?? methods;
    this.#stamp = modernMeta(options, this.#revision);
    this.#office = {
      id: () => (this.#next += 1),
      open: (id, post) => this.#open(id, post),
      done: (post) => this.#done(post),
      undiscoverable: () => (this.#undiscoverable = true),
    };
  }

  /** Whether the server refused `server/discover` as only one of this era does. */
  get undiscoverable(): boolean {
    return this.#undiscoverable;
  }

  /** The revision that is spoken from now on. */
  set revision(revision: ModernRevision) {
    this.#revision = revision;
    this.#stamp = modernMeta(this.#options, revision);
    this.#headers = new Map();
  }

  readonly exchange: Exchange = (request, context) =>
    new Observable((subscriber) => {
      if (this.#closed !== undefined) {
        subscriber.error(new ConnectionClosed({ message: this.#closed.message }));
        return undefined;
      }
      const again = context.idempotent === true ? 1 : 0;
      const post = new ModernPost(this.#office, request, this.#headersOf(request, context), subscriber, again);
      post.at = this.#posts.push(post) - 1;
      post.send();
      return () => post.stop();
    });

  /** Ends whatever is under way; what is asked from now on fails. */
  close(reason: ConnectionClosed): void {
    this.#closed = reason;
    for (const post of [...this.#posts]) post.hangUp(reason);
  }

  #done(post: ModernPost): void {
    if (this.#posts[post.at] !== post) return;
    const last = this.#posts.pop();
    if (last === undefined || last === post) return;
    this.#posts[post.at] = last;
    last.at = post.at;
  }

  #open(id: number, post: ModernPost): Answer {
    const { method, params } = post.request;
    const given = params?.['_meta'];
    const _meta = this.#stamp(isObject(given) ? given : undefined, id);
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params: Object.assign({}, params, { _meta }) });
    const { url, openMs } = this.#wire;
    const limit = this.#table[method]?.longLived === true ? openMs : undefined;
    return new Answer(this.#wire, { method: 'POST', url, headers: post.headers, body }, post, limit);
  }

  /** HTTP26-07: the metadata headers, and of what the caller has to say only the mirrored arguments. */
  #headersOf({ method, params }: Request, { headers }: Context): Readonly<Record<string, string>> {
    const usual = this.#usual(method);
    const nameIn = this.#table[method]?.nameIn;
    const name = nameIn === undefined ? undefined : params?.[nameIn];
    if (headers === undefined && typeof name !== 'string') return usual;
    const made: Record<string, string> = Object.assign({}, usual);
    if (typeof name === 'string') made['mcp-name'] = encodeHeader(name);
    for (const key in headers) {
      const value = headers[key];
      if (value !== undefined && key.startsWith('mcp-param-')) made[key] = value;
    }
    return made;
  }

  #usual(method: string): Readonly<Record<string, string>> {
    const known = this.#headers.get(method);
    if (known !== undefined) return known;
    const made = {
      accept: 'application/json, text/event-stream',
      'content-type': 'application/json',
      'mcp-protocol-version': this.#revision,
      'mcp-method': encodeHeader(method),
    };
    // Methods of those whom we stand in for may be any.
    if (this.#headers.size < 1000) this.#headers.set(method, made);
    return made;
  }
}
