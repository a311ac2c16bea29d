/** A server of an older revision that a spec plays by hand, seen from inside, by several callers. */
import { Subject, throwError } from 'rxjs';
import { ConnectionClosed, methodNotFound, type Context, type Emission, type Exchange, type JsonObject } from 'rxmcp';
import { legacyUpstream } from '../../lib/era/legacy/upstream.ts';
import { Demultiplexer } from '../../lib/exchange/demultiplex.ts';
import { Multiplexer } from '../../lib/exchange/multiplex.ts';
import { numbered } from '../../lib/exchange/numbered.ts';
import type { Notification } from '../../lib/exchange/exchange.ts';
import { methods } from '../../lib/protocol/methods.ts';
import { metaKeys, type LegacyRevision } from '../../lib/protocol/revisions.ts';
import { everything } from '../server/rounds.ts';

export { everything };

export interface Called {
  /** What has come back, in order: emissions, then `complete` or an error. */
  readonly seen: unknown[];
  readonly stop: () => void;
  /** What the last answer asks, and the state to come back with. */
  readonly needs: () => { readonly inputRequests: JsonObject; readonly requestState: string };
}

export const form = { message: 'Who?', requestedSchema: { type: 'object', properties: { name: { type: 'string' } } } };
export const accepted = { action: 'accept', content: { name: 'Ada' } };

export const behind = (
  local: Exchange = ({ method }) => throwError(() => methodNotFound(method)),
  revision: LegacyRevision = '2025-11-25',
) => {
  const sent: JsonObject[] = [];
  const send = (frame: unknown): void => void sent.push(frame as JsonObject);
  const multiplexer = new Multiplexer(send);
  const demultiplexer = new Demultiplexer({ send });
  const unsolicited = new Subject<Notification>();
  const { exchange, asked } = legacyUpstream({
    revision,
    handshake: { protocolVersion: revision, capabilities: { tools: {} }, serverInfo: { name: 'old', version: '1' } },
    ask: numbered(multiplexer),
    underway: (asking) => multiplexer.count(asking),
    unsolicited,
    table: methods,
    declared: everything,
    local,
  });
  const call = (params: JsonObject, context: Context = {}, method = 'tools/call'): Called => {
    const seen: unknown[] = [];
    const subscription = exchange({ method, params }, context).subscribe({
      next: (emission: Emission) => seen.push(emission),
      error: (error: unknown) => seen.push(error),
      complete: () => seen.push('complete'),
    });
    return {
      seen,
      stop: () => subscription.unsubscribe(),
      needs: () => {
        const asking = seen.find((one) => typeof one === 'object' && one !== null && 'result' in one) as
          { readonly result: JsonObject } | undefined;
        if (asking?.result['resultType'] !== 'input_required')
          throw new Error(`it asks nothing: ${JSON.stringify(seen)}`);
        return asking.result as unknown as ReturnType<Called['needs']>;
      },
    };
  };
  return {
    /** All that has gone to the server. */
    sent,
    exchange,
    unsolicited,
    /** A call of this client's own. */
    own: (name = 't') => call({ name, _meta: { progressToken: 0 } }),
    /** A call of somebody whom this client stands in for. */
    call: (context: Context = {}, more: JsonObject = {}, capabilities: JsonObject = everything) =>
      call({ name: 't', ...more, _meta: { progressToken: 0, [metaKeys.clientCapabilities]: capabilities } }, context),
    any: call,
    /** Goes on with a call that was asked something. */
    again: (requestState: unknown, inputResponses: JsonObject = {}, context: Context = {}, more: JsonObject = {}) =>
      call(
        {
          name: 't',
          ...more,
          requestState,
          inputResponses,
          _meta: { progressToken: 0, [metaKeys.clientCapabilities]: everything },
        },
        context,
      ),
    /** The server's answer to the request with this id. */
    answer: (id: number, result: JsonObject = { content: [] }) => multiplexer.response({ jsonrpc: '2.0', id, result }),
    refuse: (id: number, code: number, data?: unknown) =>
      multiplexer.response({ jsonrpc: '2.0', id, error: { code, message: 'no', data } }),
    progress: (progressToken: number, progress: number) =>
      multiplexer.notification({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress },
      }),
    /** The server asks something itself. */
    ask: (id: string, method = 'elicitation/create', params: JsonObject = form) =>
      demultiplexer.request({ jsonrpc: '2.0', id, method, params }, asked, {}),
    /** The server asks something on the stream of the request with this id. */
    askOn: (concerning: number, id: string) =>
      demultiplexer.request({ jsonrpc: '2.0', id, method: 'elicitation/create', params: form }, asked, { concerning }),
    withdraw: (id: string) => demultiplexer.cancel(id),
    /** What it has been answered. */
    told: (id: string) => sent.find((frame) => frame['id'] === id && !('method' in frame)),
    cancelled: () =>
      sent.flatMap(({ method, params }) =>
        method === 'notifications/cancelled' ? [(params as JsonObject)['requestId']] : [],
      ),
    /** The connection is gone, in the order in which a client lets go of it. */
    lose: () => {
      multiplexer.close(new ConnectionClosed({ message: 'gone' }));
      demultiplexer.close();
      unsolicited.complete();
    },
  };
};
