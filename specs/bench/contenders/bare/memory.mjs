import { answer, callOf } from './messages.mjs';

/** A client and a server that hand each other objects, a microtask apart, as the linked pairs of the libraries do. */
const linked = (revision, serve) => {
  const waiting = new Map();
  let nextId = 1;
  const toClient = (frame) => {
    const listener = waiting.get(frame.id ?? frame.params.progressToken);
    if (frame.id === undefined) return listener.progress(frame.params);
    waiting.delete(frame.id);
    listener.resolve(frame.result);
  };
  return (name, progress) =>
    new Promise((resolve) => {
      const id = nextId++;
      waiting.set(id, { resolve, progress });
      const frame = callOf(id, revision, name, progress === undefined ? undefined : id);
      queueMicrotask(() => serve(frame, (answered) => queueMicrotask(() => toClient(answered))));
    });
};

export const echo = (revision) => {
  const request = linked(revision, (frame, send) => send(answer(frame)));
  return { call: async () => (await request('echo')).content[0].text, close: () => undefined };
};

export const progress = (revision) => {
  const request = linked(revision, (frame, send) => {
    const { progressToken } = frame.params._meta;
    for (let n = 1; n <= 20; n++)
      send({ jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, progress: n, total: 20 } });
    send(answer(frame));
  });
  return {
    call: async () => {
      let seen = 0;
      const { content } = await request('echo', () => seen++);
      return seen === 20 ? content[0].text : `${seen} notices`;
    },
    close: () => undefined,
  };
};
