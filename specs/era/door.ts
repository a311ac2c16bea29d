/** One server, talked to by hand: what is said, and what comes back. */
import { Subject } from 'rxjs';
import { onTestFinished } from 'vitest';
import { serveChannel, type ServeOptions, type ServeEvent } from '../../lib/era/serve.ts';
import type { Exchange } from '../../lib/exchange/exchange.ts';
import { memoryPair } from '../../lib/transport/memory.ts';

export interface Door {
  readonly said: unknown[];
  readonly events: ServeEvent[];
  readonly say: (...messages: unknown[]) => void;
  /** What is said in answer to these messages. */
  readonly reply: (...messages: unknown[]) => unknown[];
  /** Ends the client's side. */
  readonly leave: () => void;
  /** Ends the server's side. */
  readonly stop: () => void;
}

export const knock = (exchange: Exchange, options?: ServeOptions): Door => {
  const [near, far] = memoryPair();
  const said: unknown[] = [];
  const events: ServeEvent[] = [];
  const outbound = new Subject<never>();
  const serving = serveChannel(exchange, options)(far).subscribe((event) => events.push(event));
  const listening = near(outbound).subscribe((value) => said.push(value));
  onTestFinished(() => {
    listening.unsubscribe();
    serving.unsubscribe();
  });
  const say = (...messages: unknown[]): void => {
    for (const message of messages) outbound.next(message as never);
  };
  return {
    said,
    events,
    say,
    reply: (...messages) => {
      const { length } = said;
      say(...messages);
      return said.slice(length);
    },
    leave: () => listening.unsubscribe(),
    stop: () => serving.unsubscribe(),
  };
};

export const request = (id: unknown, method: string, params?: unknown): unknown => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params === undefined ? undefined : { params }),
});

export const initialize = (protocolVersion: unknown, id: unknown = 'init', more: object = {}): unknown =>
  request(id, 'initialize', { protocolVersion, capabilities: {}, clientInfo: { name: 'old', version: '1' }, ...more });

export const initialized = { jsonrpc: '2.0', method: 'notifications/initialized' };
