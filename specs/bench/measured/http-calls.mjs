/** Calls over HTTP: a session for each connection where the revision has them, opened once and kept. */
import { text } from '../contenders/bare/messages.mjs';
import { line } from './line.mjs';
import { calling, farewell, greeted, greeting, listening } from './requests.mjs';

const firstId = 1_000_000;
const sessionOf = ({ text }) => /\r\nmcp-session-id: *([^\r]+)/i.exec(text)?.[1];

const good = (answer, expected) => {
  if (!answer.text.startsWith('HTTP/1.1 20') || answer.bytes < expected.bytes || !expected.words.test(answer.text))
    throw new Error(`answered ${answer.text.slice(0, 1000)}`);
  return answer;
};

const opened = async (line, revision, authorization) => {
  if (revision === '2026-07-28') return undefined;
  const session = sessionOf(
    good(await line.ask(greeting(revision, authorization)), { bytes: 0, words: /"protocolVersion"/ }),
  );
  await line.ask(greeted(revision, session, authorization));
  return session;
};

export const open = async ({ port, revision, lanes, holds, tool, said = text, authorization }) => {
  const call = { tool, said };
  let id = firstId;
  const lines = (count) => Promise.all(Array.from({ length: count }, () => line(port)));
  const expected = {
    bytes: said.length,
    words: new RegExp(`${tool === 'progress' ? 'notifications/progress[^]*' : ''}${said.slice(0, 12)}`),
  };
  const first = await lines(lanes);
  const sessions = await Promise.all(first.map((line) => opened(line, revision, authorization)));
  for (const { close } of first) close();

  const ready = async () => {
    const connected = await lines(lanes);
    const requests = sessions.map((session) => calling(revision, session, call, authorization));
    const one = async (n) => good(await connected[n].ask(requests[n](id++)), expected);
    // Accepting a connection is no part of a call.
    await Promise.all(connected.map((_, n) => one(n)));
    return {
      run: async (calls) => {
        let left = calls;
        const lane = async (_, n) => {
          while (left-- > 0) await one(n);
        };
        await Promise.all(connected.map(lane));
      },
      close: () => connected.forEach(({ close }) => close()),
    };
  };

  const held = {
    /** Sessions that are open, and nothing else: the connections that opened them are gone. */
    sessions: async (count) => {
      const connected = await lines(8);
      const open = [];
      const each = (act) => Promise.all(connected.map(act));
      await each(async (line) => {
        while (open.length < count) {
          const at = open.push(undefined) - 1;
          open[at] = await opened(line, revision);
        }
      });
      for (const { close } of connected) close();
      return async () => {
        const [line] = await lines(1);
        for (const session of open) await line.ask(farewell(revision, session));
        line.close();
      };
    },
    /** Streams that are open, each with the connection that it is on. */
    streams: async (count) => {
      const request = listening(revision);
      const connected = await lines(count);
      await Promise.all(connected.map(({ hold }) => hold(request(id++), 'subscriptions/acknowledged')));
      return () => connected.forEach(({ close }) => close());
    },
  };
  return { ready, hold: held[holds] };
};
