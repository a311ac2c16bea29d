/** The client's process over HTTP, 64 calls in flight, against the hand-written server on the other core. */
import { start } from '../child.ts';
import { type Revision, type Row, contenderFile, httpCalls, measuredFile } from '../row.ts';
import { callers } from './callers.ts';

export const httpClient = (revision: Revision): Row => ({
  title: 'HTTP client',
  revision,
  wanted: { sdk2: 0.12 },
  plan: httpCalls,
  start: async (cores) => {
    const server = await start(
      cores.driving(measuredFile('served.mjs'), contenderFile('bare', 'http.mjs'), 'serve', revision),
    );
    const url = `http://127.0.0.1:${server.port}/mcp`;
    const running = await callers(cores, revision, {
      file: 'http-client.mjs',
      name: 'client',
      lanes: 64,
      args: [url],
      // The SDKs' listeners on one signal outgrow Node's limit; a line for each on stderr would be charged to them.
      flags: ['--no-warnings'],
    });
    return {
      contenders: running.contenders,
      stop: async () => {
        await running.stop();
        await server.stop();
      },
    };
  },
});
