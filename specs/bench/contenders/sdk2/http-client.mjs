import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { text } from '../bare/messages.mjs';
import { versionNegotiation } from './negotiation.mjs';

export const client = async (revision, url) => {
  const connected = new Client(
    { name: 'sdk2', version: '1.0.0' },
    { versionNegotiation: versionNegotiation(revision) },
  );
  await connected.connect(new StreamableHTTPClientTransport(new URL(url)));
  return {
    call: async () => (await connected.callTool({ name: 'echo', arguments: { text } })).content[0].text,
    close: () => connected.close(),
  };
};
