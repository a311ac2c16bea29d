import { Agent, request } from 'node:http';
import { callOf, opening } from './messages.mjs';

export const client = async (revision, url) => {
  const agent = new Agent({ keepAlive: true });
  let nextId = 1;
  const post = (frame) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(frame);
      const headers = {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': revision,
        ...(revision === '2026-07-28' ? { 'mcp-method': frame.method, 'mcp-name': frame.params?.name } : {}),
        'content-length': Buffer.byteLength(body),
      };
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('end', () =>
          resolve(chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())),
        );
      });
      sent.on('error', reject);
      sent.end(body);
    });

  const { request: hello, notification } = opening(revision);
  if (hello !== undefined) await post(hello);
  if (notification !== undefined) await post(notification);
  return {
    call: async () => (await post(callOf(nextId++, revision))).result.content[0].text,
    close: () => agent.destroy(),
  };
};
