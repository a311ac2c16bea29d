/** Runs a demo as people do, and looks for what it leaves behind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { onTestFinished, vi } from 'vitest';
import { temporaryFolder } from './temporary-folder.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));

export interface Told {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** What is left in the folder for temporary files. */
  readonly files: readonly string[];
}

/** @param args - of node: the program, and its own */
export const run = async (...args: readonly string[]): Promise<Told> => {
  const temporary = temporaryFolder();
  // What the loader of TypeScript has compiled before serves here too.
  for (const name of readdirSync(tmpdir()))
    if (name.startsWith('tsx-')) symlinkSync(`${tmpdir()}/${name}`, temporary.at(name));
  const start = performance.now();
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: project,
    env: { ...process.env, TMPDIR: temporary.path },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => (stdout += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  await once(child, 'close');
  const seconds = (performance.now() - start) / 1000;
  await vi.waitFor(() => {
    const left = processesWith(temporary.path);
    if (left.length > 0) throw new Error(`still running: ${left.join('; ')}`);
  });
  const files = readdirSync(temporary.path).filter((name) => !/^(tsx-|node-compile-cache)/.test(name));
  return { code: child.exitCode, stdout, stderr, seconds, files };
};

/** The processes that have inherited a folder for temporary files: ours, and their children. Linux tells, others do not. */
const processesWith = (folder: string): readonly string[] => {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((pid) => {
    try {
      const inherited =
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`TMPDIR=${folder}`);
      return inherited ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`] : [];
    } catch {
      // It has ended meanwhile, or belongs to somebody else.
      return [];
    }
  });
};
