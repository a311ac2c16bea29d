import { WebSocketServer } from 'ws';
import { answer } from './messages.mjs';

export const serve = () =>
  new Promise((resolve) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
    server.on('connection', (socket) =>
      socket.on('message', (data) => {
        const frame = answer(JSON.parse(data.toString()));
        if (frame !== undefined) socket.send(JSON.stringify(frame));
      }),
    );
    server.on('listening', () => resolve(server.address().port));
  });
