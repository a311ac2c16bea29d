/**
 * Serves something of everything that the protocol has.
 *
 *     node --import tsx demos/everything/server.ts [--transport stdio|http|sse|ws] [--port N] [--host 127.0.0.1]
 */
import { parseArgs } from 'node:util';
import { serve } from 'rxmcp';
import { everything } from './everything.ts';
import { transportOf } from './transports.ts';

const portOf = (text: string): number => {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) throw new Error(`--port must be 0 to 65535; got ${JSON.stringify(text)}`);
  return port;
};

const complain =
  (code: 1 | 2) =>
  (error: unknown): void => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = code;
  };

try {
  const { values } = parseArgs({
    options: {
      transport: { type: 'string', default: 'stdio' },
      port: { type: 'string', default: process.env['PORT'] ?? '3000' },
      host: { type: 'string', default: '127.0.0.1' },
    },
  });
  const open = transportOf(values.transport);
  const all = everything();
  // Standard error is for people.
  all.errors$.subscribe(({ message }) => console.error(message));
  serve(all, open({ host: values.host, port: portOf(values.port) })).subscribe({
    next: (event) => {
      if (event.type === 'malformed') console.error(`not understood: ${event.reason}`);
    },
    error: complain(1),
  });
} catch (error) {
  complain(2)(error);
}
