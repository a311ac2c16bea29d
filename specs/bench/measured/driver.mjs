/**
 * The one driver of all stdio servers: hand-written, sixteen calls in flight, one write for each chunk that came in.
 *
 * `node driver.mjs`, then over IPC: `{spawn: key, command, revision}` → `{ready}`, `{key, calls}` → `{cpu, wall}` of the
 * server, `{first: command, revision}` → `{wall}` from spawn to the first answer; all in microseconds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { eachChunk } from '../contenders/bare/lines.mjs';
import { callOf, opening, text } from '../contenders/bare/messages.mjs';

const lanes = 16;
const probe = new URL('./cpu.mjs', import.meta.url).href;

/** Subscribes to the server's answers; `send` joins what is sent in one turn to one write. */
const talk = ([command, ...args], options) => {
  const child = spawn(command, args, options);
  let take = () => undefined;
  eachChunk(child.stdout, (lines) => take(lines.map((line) => JSON.parse(line)).filter(({ id }) => id !== undefined)));
  const send = (...frames) => child.stdin.write(frames.map((frame) => `${JSON.stringify(frame)}\n`).join(''));
  const answers = (listener) => (take = listener);
  const stop = async () => {
    child.stdin.end();
    const killer = setTimeout(() => child.kill('SIGKILL'), 2_000);
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    clearTimeout(killer);
  };
  return { child, send, answers, stop };
};

const open = async ({ send, answers }, revision) => {
  const { request, notification } = opening(revision);
  if (request === undefined) return;
  await new Promise((resolve) => {
    answers(resolve);
    send(request);
  });
  send(notification);
};

const checked = (frame) => {
  if (frame.result?.content?.[0]?.text !== text) throw new Error(`answered ${JSON.stringify(frame)}`);
};

/** Makes `calls` calls, sixteen at a time. */
const pump = ({ send, answers }, revision, calls, firstId) =>
  new Promise((resolve) => {
    let sent = 0;
    let answered = 0;
    const more = (count) =>
      Array.from({ length: Math.min(count, calls - sent) }, () => callOf(firstId + sent++, revision));
    answers((frames) => {
      frames.forEach(checked);
      answered += frames.length;
      if (answered === calls) return resolve();
      const next = more(frames.length);
      if (next.length > 0) send(...next);
    });
    send(...more(lanes));
  });

const servers = new Map();

const commands = {
  spawn: async ({ spawn: key, command, revision }) => {
    const env = { ...process.env, NODE_OPTIONS: `--import=${probe}` };
    const server = talk(command, { stdio: ['pipe', 'pipe', 'inherit', 'ipc'], env });
    await open(server, revision);
    servers.set(key, { ...server, revision, nextId: 1 });
    return { ready: true };
  },

  calls: async ({ key, calls }) => {
    const server = servers.get(key);
    const used = async () => {
      server.child.send('cpu');
      const [cpu] = await once(server.child, 'message');
      return cpu;
    };
    const before = await used();
    const started = performance.now();
    await pump(server, server.revision, calls, server.nextId);
    const wall = (performance.now() - started) * 1000;
    server.nextId += calls;
    return { cpu: (await used()) - before, wall };
  },

  first: async ({ first: command, revision }) => {
    const started = performance.now();
    const server = talk(command, { stdio: ['pipe', 'pipe', 'inherit'] });
    await open(server, revision);
    await pump(server, revision, 1, 1);
    const wall = (performance.now() - started) * 1000;
    await server.stop();
    return { wall };
  },
};

process.on('message', async (message) => {
  const command = Object.keys(commands).find((name) => name in message);
  process.send(await commands[command](message));
});
process.once('disconnect', async () => {
  await Promise.all([...servers.values()].map(({ stop }) => stop()));
  process.exit();
});
process.send({ ready: true });
