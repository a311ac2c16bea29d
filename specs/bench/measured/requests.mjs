/** What the drivers send over HTTP, as bytes that differ in nothing but a number of seven digits. */
import { callOf, opening } from '../contenders/bare/messages.mjs';

const placeholder = 1_234_567;
const byte = (value) => Buffer.byteLength(value);

const post = (revision, session, frame, authorization) => {
  const body = JSON.stringify(frame);
  const { method, params } = frame;
  const headers = {
    host: '127.0.0.1',
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(revision === '2026-07-28' ? { 'mcp-method': method, ...(params?.name && { 'mcp-name': params.name }) } : {}),
    ...(method === 'initialize' ? {} : { 'mcp-protocol-version': revision }),
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
    ...(authorization === undefined ? {} : { authorization }),
    'content-length': byte(body),
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return ['POST /mcp HTTP/1.1', ...lines, '', body].join('\r\n');
};

/** What opens a session, and what closes it. */
export const greeting = (revision, authorization) =>
  post(revision, undefined, opening(revision).request, authorization);
export const greeted = (revision, session, authorization) =>
  post(revision, session, opening(revision).notification, authorization);
export const farewell = (revision, session) =>
  `DELETE /mcp HTTP/1.1\r\nhost: 127.0.0.1\r\nmcp-protocol-version: ${revision}\r\nmcp-session-id: ${session}\r\n\r\n`;

/** Calls a tool, `id` being the id and, where progress is wanted, its token too. */
export const calling = (revision, session, { tool, said }, authorization) => {
  const wants = tool === 'progress' ? placeholder : undefined;
  const frame = callOf(placeholder, revision, tool, wants, said);
  const parts = post(revision, session, frame, authorization).split(String(placeholder));
  return (id) => parts.join(String(id));
};

/** Listens to changes of the list of tools; never answered. */
export const listening = (revision) => {
  const { params } = callOf(placeholder, revision);
  const frame = {
    jsonrpc: '2.0',
    id: placeholder,
    method: 'subscriptions/listen',
    params: { _meta: params._meta, notifications: { toolsListChanged: true } },
  };
  const parts = post(revision, undefined, frame).split(String(placeholder));
  return (id) => parts.join(String(id));
};
