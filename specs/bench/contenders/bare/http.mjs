import { createServer } from 'node:http';
import { answer } from './messages.mjs';

let streams = 0;
const event = (frame) => `event: message\ndata: ${JSON.stringify(frame)}\n\n`;
const numbered = (id, data) => `event: message\nid: ${id}\ndata: ${data}\n\n`;
const streaming = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};

/** What ours sends, by the shortest way: events with ids, the first of them empty, as 2025-11-25 has it. */
const reply = (frame, response) => {
  const { method, params } = frame;
  if (method === 'subscriptions/listen')
    return response.writeHead(200, streaming).write(
      event({
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: { notifications: params.notifications },
      }),
    );
  if (params?.name === 'progress') {
    const { progressToken } = params._meta;
    const notice = {
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress: 1, total: 1 },
    };
    const stream = `p${++streams}`;
    response.writeHead(200, streaming);
    response.write(numbered(`${stream}.1`, '') + numbered(`${stream}.2`, JSON.stringify(notice)));
    return response.end(numbered(`${stream}.3`, JSON.stringify(answer(frame))));
  }
  const answered = answer(frame);
  if (answered === undefined) return response.writeHead(202).end();
  const body = JSON.stringify(answered);
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body);
};

export const serve = () =>
  new Promise((resolve) => {
    const server = createServer((request, response) => {
      if (request.method !== 'POST') return response.writeHead(405).end();
      const chunks = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => reply(JSON.parse(Buffer.concat(chunks).toString()), response));
    });
    server.listen(0, '127.0.0.1', () => resolve(server.address().port));
  });
