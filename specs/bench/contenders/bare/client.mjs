import { spawn } from 'node:child_process';
import { eachChunk } from './lines.mjs';
import { callOf, opening } from './messages.mjs';

export const client = async (revision, command, ...args) => {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = new Map();
  let nextId = 1;
  let out = '';
  const send = (frame) => {
    if (out === '')
      queueMicrotask(() => {
        child.stdin.write(out);
        out = '';
      });
    out += `${JSON.stringify(frame)}\n`;
  };
  eachChunk(child.stdout, (lines) => {
    for (const line of lines) {
      const { id, result } = JSON.parse(line);
      const settle = waiting.get(id);
      waiting.delete(id);
      settle?.(result);
    }
  });
  const request = (frame) =>
    new Promise((resolve) => {
      waiting.set(frame.id, resolve);
      send(frame);
    });

  const { request: hello, notification } = opening(revision);
  if (hello !== undefined) await request(hello);
  if (notification !== undefined) send(notification);
  return {
    call: async () => (await request(callOf(nextId++, revision))).content[0].text,
    close: () => child.stdin.end(),
  };
};
