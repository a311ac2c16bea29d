/**
 * The one driver of all servers on the network: spawns them, makes calls over many connections, one at a time on each.
 *
 * `node web-driver.mjs`, then over IPC: `{spawn: key, command, …how}` → `{ready}`, `{key, calls}` → `{cpu, wall}` of the
 * server in microseconds, `{key, hold}` → `{bytes}`, the growth of its heap by so many of what it holds.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as http from './http-calls.mjs';
import * as websocket from './websocket-calls.mjs';

const kinds = { http, websocket };
const servers = new Map();

/** What a server says next; one that dies takes the driver with it. */
const next = async ({ child, died }) => {
  const [value] = await Promise.race([once(child, 'message'), died]);
  return value;
};

const cost = (server, of) => {
  server.child.send(of);
  return next(server);
};

const spawned = ([program, ...args]) => {
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const died = once(child, 'exit').then(([code, signal]) =>
    Promise.reject(new Error(`it ended with ${code ?? signal}`)),
  );
  died.catch(() => undefined);
  return { child, died };
};

const commands = {
  spawn: async ({ spawn: key, command, kind, ...how }) => {
    const server = spawned(command);
    const { port } = await next(server);
    servers.set(key, { ...server, peer: await kinds[kind].open({ port, ...how }) });
    return { ready: true };
  },

  calls: async ({ key, calls }) => {
    const server = servers.get(key);
    const { run, close } = await server.peer.ready();
    const before = await cost(server, 'cpu');
    const started = performance.now();
    await run(calls);
    const wall = (performance.now() - started) * 1000;
    const cpu = (await cost(server, 'cpu')) - before;
    await close();
    return { cpu, wall };
  },

  hold: async ({ key, hold }) => {
    const server = servers.get(key);
    const before = await cost(server, 'heap');
    const release = await server.peer.hold(hold);
    const bytes = (await cost(server, 'heap')) - before;
    await release();
    return { bytes };
  },
};

process.on('message', async (message) => {
  const command = Object.keys(commands).find((name) => name in message);
  process.send(await commands[command](message));
});
process.once('disconnect', async () => {
  for (const { child } of servers.values()) child.disconnect();
  await Promise.allSettled([...servers.values()].map(({ died }) => died));
  process.exit();
});
process.send({ ready: true });
