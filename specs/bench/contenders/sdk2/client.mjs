import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { text } from '../bare/messages.mjs';
import { versionNegotiation } from './negotiation.mjs';

export const client = async (revision, command, ...args) => {
  const connected = new Client(
    { name: 'sdk2', version: '1.0.0' },
    { versionNegotiation: versionNegotiation(revision) },
  );
  await connected.connect(new StdioClientTransport({ command, args }));
  return {
    call: async () => (await connected.callTool({ name: 'echo', arguments: { text } })).content[0].text,
    close: () => connected.close(),
  };
};
