/** The server's process over WebSockets, 64 connections with a call on each. */
import { type Revision, type Row, httpCalls } from '../row.ts';
import { web } from './web.ts';

export const webSocketServer = (revision: Revision): Row => ({
  title: 'WebSocket server',
  revision,
  wanted: { bare: 1.8 },
  plan: httpCalls,
  start: (cores) =>
    web(
      cores,
      revision,
      { file: 'websocket.mjs', name: () => 'serve', libraries: ['ours', 'bare'] },
      { kind: 'websocket', tool: 'echo', lanes: 64 },
    ),
});
