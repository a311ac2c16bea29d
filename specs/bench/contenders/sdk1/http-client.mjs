import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { text } from '../bare/messages.mjs';

export const client = async (_revision, url) => {
  const connected = new Client({ name: 'sdk1', version: '1.0.0' });
  await connected.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    call: async () => (await connected.callTool({ name: 'echo', arguments: { text } })).content[0].text,
    close: () => connected.close(),
  };
};
