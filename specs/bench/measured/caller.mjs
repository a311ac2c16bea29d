/**
 * Runs in the measured process: loads a contender's `echo`, `progress` or `client`, and on request makes calls through it.
 *
 * `node caller.mjs <module> <export> <lanes> <revision> …args`, then over IPC: `{calls}` → `{cpu, wall}` in microseconds.
 */
import { text } from '../contenders/bare/messages.mjs';

const [module, name, lanes, ...args] = process.argv.slice(2);
const contender = await import(module);
const { call, close } = await contender[name](...args);

const run = async (calls) => {
  let left = calls;
  const lane = async () => {
    while (left-- > 0) {
      const said = await call();
      if (said !== text) throw new Error(`answered ${said}`);
    }
  };
  const started = performance.now();
  const before = process.cpuUsage();
  await Promise.all(Array.from({ length: Number(lanes) }, lane));
  const { user, system } = process.cpuUsage(before);
  return { cpu: user + system, wall: (performance.now() - started) * 1000 };
};

process.on('message', async ({ calls }) => process.send(await run(calls)));
process.once('disconnect', async () => {
  await close();
  process.exit();
});
process.send({ ready: true });
