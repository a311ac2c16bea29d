import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { z } from 'zod';

const inputSchema = { text: z.string() };

const build = () => {
  const server = new McpServer({ name: 'sdk1', version: '1.0.0' });
  server.registerTool('echo', { description: 'Says it again', inputSchema }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  server.registerTool(
    'progress',
    { description: 'Tells its progress', inputSchema },
    async ({ text }, { sendNotification, _meta: { progressToken } }) => {
      await sendNotification({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 1 } });
      return { content: [{ type: 'text', text }] };
    },
  );
  return server;
};

const read = async (request) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
};

/** As its README has it: a transport and a server for each session, kept by the session's id. */
export const serve = (_revision, style) => {
  const sessions = new Map();
  const open = async () => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: style === 'json',
      onsessioninitialized: (id) => void sessions.set(id, transport),
    });
    transport.onclose = () => sessions.delete(transport.sessionId);
    await build().connect(transport);
    return transport;
  };
  return new Promise((resolve) => {
    const server = createServer(async (request, response) => {
      const body = await read(request);
      const known = sessions.get(request.headers['mcp-session-id']);
      if (known === undefined && !isInitializeRequest(body)) return response.writeHead(404).end();
      await (known ?? (await open())).handleRequest(request, response, body);
    });
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
};
