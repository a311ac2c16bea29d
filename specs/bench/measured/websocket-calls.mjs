/** Calls over WebSockets: one at a time on each of many connections. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { callOf, opening, text } from '../contenders/bare/messages.mjs';

const connected = async (port) => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/mcp`, 'mcp', { perMessageDeflate: false });
  await once(socket, 'open');
  let take;
  let broken;
  socket.on('message', (data) => take(data.toString('latin1')));
  socket.on('error', (error) => broken(error));
  socket.on('close', (code) => broken?.(new Error(`closed with ${code}`)));
  return {
    send: (frame) => socket.send(JSON.stringify(frame)),
    ask: (frame) =>
      new Promise((resolve, reject) => {
        take = resolve;
        broken = reject;
        socket.send(frame);
      }),
    close: () => socket.close(1000),
  };
};

export const open = ({ port, revision, lanes, tool, said = text }) => {
  let id = 1_000_000;
  const [before, after] = JSON.stringify(callOf(1_234_567, revision, tool, undefined, said)).split('1234567');
  const one = async ({ ask }) => {
    const answer = await ask(`${before}${id++}${after}`);
    if (!answer.includes(said)) throw new Error(`answered ${answer}`);
  };
  const greet = async ({ ask, send }) => {
    const { request, notification } = opening(revision);
    if (request === undefined) return;
    await ask(JSON.stringify(request));
    send(notification);
  };
  const ready = async () => {
    const sockets = await Promise.all(Array.from({ length: lanes }, () => connected(port)));
    await Promise.all(sockets.map(greet));
    await Promise.all(sockets.map(one));
    return {
      run: async (calls) => {
        let left = calls;
        const lane = async (socket) => {
          while (left-- > 0) await one(socket);
        };
        await Promise.all(sockets.map(lane));
      },
      close: () => sockets.forEach(({ close }) => close()),
    };
  };
  return { ready };
};
