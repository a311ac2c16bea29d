import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { z } from 'zod';
import { text } from '../bare/messages.mjs';
import { versionNegotiation } from './negotiation.mjs';

const inputSchema = z.object({ text: z.string() });

const linked = async (revision, handler) => {
  const build = () => {
    const server = new McpServer({ name: 'sdk2', version: '1.0.0' });
    server.registerTool('echo', { description: 'Says it again', inputSchema }, handler);
    return server;
  };
  const client = new Client({ name: 'sdk2', version: '1.0.0' }, { versionNegotiation: versionNegotiation(revision) });
  const [near, far] = InMemoryTransport.createLinkedPair();
  // A plain `connect` speaks the handshake's revisions only; the entry for stdio takes any transport and both eras.
  if (revision === '2026-07-28') serveStdio(build, { transport: far });
  else await build().connect(far);
  await client.connect(near);
  return client;
};

export const echo = async (revision) => {
  const client = await linked(revision, ({ text }) => ({ content: [{ type: 'text', text }] }));
  return {
    call: async () => (await client.callTool({ name: 'echo', arguments: { text } })).content[0].text,
    close: () => client.close(),
  };
};

export const progress = async (revision) => {
  const client = await linked(revision, async ({ text }, { mcpReq }) => {
    const { progressToken } = mcpReq._meta;
    for (let n = 1; n <= 20; n++)
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: n, total: 20 } });
    return { content: [{ type: 'text', text }] };
  });
  return {
    call: async () => {
      let seen = 0;
      const { content } = await client.callTool({ name: 'echo', arguments: { text } }, { onprogress: () => seen++ });
      return seen === 20 ? content[0].text : `${seen} notices`;
    },
    close: () => client.close(),
  };
};
