/** Calls a tool over ports, leaves, and has to end by itself. */
import { open, ports, portTo, serve, server, tool } from '../../lib/index.ts';

const lobby = new MessageChannel();
const here = server(
  { name: 's', version: '1' },
  tool('hello', {}, () => 'Hello'),
);
const serving = serve(here, ports(lobby.port2)).subscribe();
const client = await open(portTo(lobby.port1));
await client.callTool('hello', {});
await client.close();
serving.unsubscribe();
