import { getRequestListener } from '@hono/node-server';
import { McpServer, WebStandardStreamableHTTPServerTransport, createMcpHandler } from '@modelcontextprotocol/server';
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { z } from 'zod';

const inputSchema = z.object({ text: z.string() });

const build = (more) => {
  const server = new McpServer({ name: 'sdk2', version: '1.0.0' });
  const echo = ({ text }) => ({ content: [{ type: 'text', text }] });
  server.registerTool('echo', { description: 'Says it again', inputSchema }, echo);
  server.registerTool('progress', { description: 'Tells its progress', inputSchema }, async ({ text }, { mcpReq }) => {
    const { progressToken } = mcpReq._meta;
    await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1, total: 1 } });
    return { content: [{ type: 'text', text }] };
  });
  for (let n = 0; n < more; n++) server.registerTool(`more-${n}`, { description: 'One of many', inputSchema }, echo);
  return server;
};

/** Sessions, for the revisions that have them: the fastest way of those that its documentation has. */
const sessional = (style, more) => {
  const sessions = new Map();
  return async (request) => {
    const known = sessions.get(request.headers.get('mcp-session-id'));
    if (known !== undefined) return known.handleRequest(request);
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      enableJsonResponse: style === 'json',
      onsessioninitialized: (id) => void sessions.set(id, transport),
      onsessionclosed: (id) => void sessions.delete(id),
    });
    await build(more).connect(transport);
    return transport.handleRequest(request);
  };
};

const listen = (handle) =>
  new Promise((resolve) => {
    // As Hono runs on Node, with light requests and responses in place of the platform's.
    const server = createServer(getRequestListener((request) => handle(request)));
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });

/** Its one endpoint for every era: a server for each request. */
export const entry = (_revision, _style, more) => listen(createMcpHandler(() => build(Number(more))).fetch);

export const serve = (revision, style, more) =>
  revision === '2026-07-28' ? entry(revision, style, more) : listen(sessional(style, Number(more)));
