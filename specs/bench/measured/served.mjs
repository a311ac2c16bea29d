/**
 * Runs in the measured process: serves a contender over the network, and tells what that has cost.
 *
 * `node [--expose-gc] served.mjs <module> <export> …args`, then over IPC: `{port}` when it listens; `cpu` → microseconds
 * used so far; `heap` → bytes of JS heap in use after a full collection (buffers, which live outside it, are not counted).
 */
import { setTimeout } from 'node:timers/promises';

const [module, name, ...args] = process.argv.slice(2);
const contender = await import(module);

const costs = {
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return user + system;
  },
  // What has just been closed is let go of in a few turns of the loop, and finalizers run after a collection.
  heap: async () => {
    for (let n = 0; n < 4; n++) {
      await setTimeout(50);
      globalThis.gc();
    }
    return process.memoryUsage().heapUsed;
  },
};

process.on('message', async (asked) => process.send(await costs[asked]()));
process.once('disconnect', () => process.exit());
process.send({ port: await contender[name](...args) });
