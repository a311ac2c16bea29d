/**
 * Lists the demos, or runs one.
 *
 *     npm run demo [name]
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { paint } from './story/paint.ts';

interface Demo {
  readonly line: string;
  readonly program: string;
}

const demos: Readonly<Record<string, Demo>> = {
  files: {
    line: 'a folder as a server: live list, search with progress, cancelling that stops (npm start)',
    program: 'files/tour.ts',
  },
  hello: { line: 'a server and its client, about 20 lines each', program: 'hello/client.ts' },
  compose: {
    line: 'servers merged, renamed, restricted, gated, and reached through a proxy',
    program: 'compose/index.ts',
  },
  questions: {
    line: 'a server that asks: forms, a model, a page; real requests beside rounds, answered by you or by flags',
    program: 'questions/index.ts',
  },
  browser: {
    line: 'a web page as client: live progress, cancelling, reconnecting; here looked at by Chromium (npm run demo:browser)',
    program: 'browser/tour.ts',
  },
  login: {
    line: 'somebody logs in to a protected server by OAuth, step by step; with --browser it is you',
    program: 'login/index.ts',
  },
};

const list = (print: (line: string) => void): void => {
  const width = Math.max(...Object.keys(demos).map((name) => name.length));
  for (const [name, { line }] of Object.entries(demos)) print(`  ${paint.name(name.padEnd(width))}  ${line}`);
};

const [name, ...args] = process.argv.slice(2);
const demo = name !== undefined && Object.hasOwn(demos, name) ? demos[name] : undefined;

if (name === undefined) {
  console.log('npm run demo <name> runs one of these; each checks itself:\n');
  list(console.log);
} else if (demo === undefined) {
  console.error(`there is no demo ${JSON.stringify(name)}; there are:\n`);
  list(console.error);
  process.exitCode = 1;
} else {
  const program = fileURLToPath(new URL(demo.program, import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program, ...args], { stdio: 'inherit' });
  // A terminal sends its signals to both; ours is to wait for how the demo ends.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => (process.exitCode = signal === null ? (code ?? 1) : 1));
}
