/**
 * `node --import tsx .scripts/aside.ts`: installs other people's programs that need a newer Node than we do, and such a
 * Node, away from our own dependencies: a `node` among them would shadow the machine's in every npm script.
 *
 * What is installed is pinned by `.scripts/aside/` (`npm install --package-lock-only` there changes it), and lies in
 * `.tools/` under the digest of its lock file, so that it is whole where it is there at all.
 */
import spawn from 'cross-spawn';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const pinned = fileURLToPath(new URL('aside', import.meta.url));
const tools = fileURLToPath(new URL('../.tools', import.meta.url));

/** The programs that are installed aside, and a Node that is new enough for them. */
export interface Aside {
  /** Path of a Node that runs the programs: our own where it is new enough. */
  readonly node: string;
  /**
   * Path of a program's script, to be run by that Node.
   *
   * @param name - of the package
   * @param bin - of the program, where the package has several; default: what follows the package's scope
   */
  readonly script: (name: string, bin?: string) => Promise<string>;
}

interface Manifest {
  readonly bin?: string | Readonly<Record<string, string>>;
}

/** How long all of npm's work may take, in milliseconds. */
const patienceMs = 300_000;

/** What the most demanding of the programs wants of its Node. */
const [leastMajor, leastMinor] = [22, 19] as const;

/** Runs a program; what it wrote, and on failure an error that ends in what it complained of. */
const run = async (command: string, args: readonly string[], cwd: string): Promise<string> => {
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: patienceMs });
  const ended = new Promise<string | number | null>((resolve, reject) => {
    child.once('error', reject).once('close', (code, signal) => resolve(signal ?? code));
  });
  const [out, complaint, end] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    ended,
  ]);
  if (end === 0) return out.trim();
  throw new Error(`${command} ${args.join(' ')}: ${end}\n${complaint.trim()}`);
};

/** Installs beside the place and moves it there when it is whole; another process may have been faster. */
const install = async (place: string): Promise<void> => {
  await mkdir(tools, { recursive: true });
  const scratch = await mkdtemp(join(tools, 'new-'));
  try {
    for (const file of ['package.json', 'package-lock.json', '.npmrc'])
      await copyFile(join(pinned, file), join(scratch, file));
    // Nothing of theirs runs while it is installed; that our Node is too old for them is why we are here.
    const flags = ['--ignore-scripts', '--loglevel=error', '--fetch-retries=2', '--fetch-retry-maxtimeout=10000'];
    await run('npm', ['ci', ...flags], scratch);
    await rename(scratch, place).catch((error: unknown) => {
      if (!existsSync(place)) throw error;
    });
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  // What an older lock file asked for; a `new-…` may be another process at work.
  const outdated = (await readdir(tools)).filter((name) => !name.startsWith('new-') && join(tools, name) !== place);
  await Promise.all(outdated.map((name) => rm(join(tools, name), { recursive: true, force: true })));
};

/** The package names of Node's own build for this machine. */
const builds = (): readonly string[] => {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  return [`node-${platform}-${process.arch}`, `node-bin-${platform}-${process.arch}`];
};

/** Finds the Node that came along, and shows that it runs here. */
const nodeIn = async (modules: string): Promise<string> => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return process.execPath;
  const program = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = builds()
    .map((name) => join(modules, name, 'bin', program))
    .find((path) => existsSync(path));
  if (node === undefined)
    throw new Error(
      `Node ${leastMajor}.${leastMinor} is needed, this is ${process.versions.node}, and none comes as a package for ${process.platform} on ${process.arch}`,
    );
  await run(node, ['--version'], modules);
  return node;
};

/**
 * Installs the programs if they are not there yet, which takes half a minute once.
 *
 * Rejects with what npm said where a registry cannot be reached.
 *
 * @example
 * const { node, script } = await aside();
 * execFileSync(node, [await script('@modelcontextprotocol/inspector'), '--cli', '--help']);
 */
export const aside = async (): Promise<Aside> => {
  const lock = await readFile(join(pinned, 'package-lock.json'));
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 16);
  const place = join(tools, digest);
  if (!existsSync(place)) await install(place);
  const modules = join(place, 'node_modules');
  return {
    node: await nodeIn(modules),
    script: async (name, wanted = name.replace(/^@[^/]+\//, '')) => {
      const { bin } = JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8')) as Manifest;
      const path = typeof bin === 'string' ? bin : bin?.[wanted];
      if (path === undefined) throw new Error(`${name} has no program ${wanted}`);
      return join(modules, name, path);
    },
  };
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { node } = await aside();
  console.log(`aside: ${node}, ${await run(node, ['--version'], tools)}`);
}
