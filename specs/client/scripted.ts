/** Servers that say what a spec has them say, in either era. */
import { of, Subject } from 'rxjs';
import { memoryPair, type Channel, type Exchange, type Frame, type JsonObject, type Request } from '../../lib/index.ts';
import { metaKeys, type LegacyRevision } from '../../lib/protocol/revisions.ts';

export const serverInfo = { name: 'scripted', version: '3', title: 'The script' };

const discovered = {
  resultType: 'complete',
  supportedVersions: ['2026-07-28'],
  capabilities: { tools: {}, prompts: {}, resources: {}, completions: {} },
  ttlMs: 0,
  cacheScope: 'private',
  _meta: { [metaKeys.serverInfo]: serverInfo },
};

export const done: JsonObject = { resultType: 'complete', content: [{ type: 'text', text: 'done' }] };

/** A result that asks these questions, and has this state kept; `undefined` leaves either out. */
export const asks = (inputRequests: unknown, requestState?: unknown): JsonObject => ({
  resultType: 'input_required',
  ...(inputRequests === undefined ? undefined : { inputRequests }),
  ...(requestState === undefined ? undefined : { requestState }),
});

/** One form, with one field. */
export const form = (message = 'Who?', properties: JsonObject = { name: { type: 'string' } }): JsonObject => ({
  method: 'elicitation/create',
  params: { mode: 'form', message, requestedSchema: { type: 'object', properties } },
});

export const page = (url: unknown): JsonObject => ({
  method: 'elicitation/create',
  params: { mode: 'url', message: 'Go', url },
});

export const sampling = (more: JsonObject = {}): JsonObject => ({
  method: 'sampling/createMessage',
  params: { messages: [{ role: 'user', content: { type: 'text', text: 'Hi' } }], maxTokens: 9, ...more },
});

/** A 2026-07-28 server that answers with these results, one after the other, and with the last one from then on. */
export const scripted = (...results: readonly JsonObject[]) => {
  const asked: Request[] = [];
  const served: Exchange = (request) => {
    if (request.method === 'server/discover') return of({ result: discovered });
    asked.push(request);
    return of({ result: results[Math.min(asked.length, results.length) - 1] ?? done });
  };
  return { served, asked };
};

/** A server of a handshake revision that answers nothing by itself but the handshake, and says what it is told to. */
export const byHand = (revision: LegacyRevision) => {
  const [near, far] = memoryPair();
  const saying = new Subject<Frame>();
  const heard: JsonObject[] = [];
  let waiting: ((message: JsonObject) => void) | undefined;
  const serving = far(saying).subscribe((message) => {
    const said = message as JsonObject;
    heard.push(said);
    if (said['method'] === 'initialize')
      saying.next({
        jsonrpc: '2.0',
        id: said['id'] as number,
        result: { protocolVersion: revision, capabilities: { tools: {} }, serverInfo },
      });
    if (!('method' in said)) waiting?.(said);
  });
  const channel: Channel = near;
  return {
    channel,
    /** All that the client has said. */
    heard,
    stop: () => serving.unsubscribe(),
    say: (message: unknown) => saying.next(message as Frame),
    /** What the client answers to a request of the server. */
    ask: (method: string, params: JsonObject | undefined, id: string) =>
      new Promise<JsonObject>((resolve) => {
        waiting = resolve;
        saying.next({ jsonrpc: '2.0', id, method, ...(params === undefined ? undefined : { params }) });
      }),
  };
};
