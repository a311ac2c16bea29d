import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import { text } from '../bare/messages.mjs';

const inputSchema = { text: z.string() };

const linked = async (handler) => {
  const server = new McpServer({ name: 'sdk1', version: '1.0.0' });
  server.registerTool('echo', { description: 'Says it again', inputSchema }, handler);
  const client = new Client({ name: 'sdk1', version: '1.0.0' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  await Promise.all([server.connect(far), client.connect(near)]);
  return client;
};

export const echo = async () => {
  const client = await linked(({ text }) => ({ content: [{ type: 'text', text }] }));
  return {
    call: async () => (await client.callTool({ name: 'echo', arguments: { text } })).content[0].text,
    close: () => client.close(),
  };
};

export const progress = async () => {
  const client = await linked(async ({ text }, { sendNotification, _meta: { progressToken } }) => {
    for (let n = 1; n <= 20; n++)
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress: n, total: 20 } });
    return { content: [{ type: 'text', text }] };
  });
  return {
    call: async () => {
      let seen = 0;
      const { content } = await client.callTool({ name: 'echo', arguments: { text } }, undefined, {
        onprogress: () => seen++,
      });
      return seen === 20 ? content[0].text : `${seen} notices`;
    },
    close: () => client.close(),
  };
};
