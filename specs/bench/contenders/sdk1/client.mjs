import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { text } from '../bare/messages.mjs';

export const client = async (_revision, command, ...args) => {
  const connected = new Client({ name: 'sdk1', version: '1.0.0' });
  await connected.connect(new StdioClientTransport({ command, args }));
  return {
    call: async () => (await connected.callTool({ name: 'echo', arguments: { text } })).content[0].text,
    close: () => connected.close(),
  };
};
