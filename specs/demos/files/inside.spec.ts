import { mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { RpcError } from 'rxmcp';
import { describe, expect, it } from 'vitest';
import { inside, openInside } from '../../../demos/files/inside.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** A folder to serve, beside a secret that is not to be had. */
const setting = () => {
  const folder = temporaryFolder({
    'root/a.txt': 'a',
    'root/sub/b.txt': 'b',
    'root/..c/..d.txt': 'dots',
    'root/%2e%2e%2fsecret.txt': 'escaped',
    'root/.git/config': 'credentials',
    'root/node_modules/x/index.js': 'theirs',
    'root-2/secret.txt': 'secret',
    'secret.txt': 'secret',
  });
  return { root: folder.at('root'), secret: folder.at('secret.txt'), at: folder.at };
};

const refusal = async (root: string, path: string): Promise<string> => {
  for (const look of [inside, openInside]) {
    const error = await look(root, path).then(
      (found) => found,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof RpcError)) throw new Error(`${path} was not refused`);
    expect(error.code).toBe(-32602);
    if (look === openInside) return error.message;
  }
  throw new Error('unreachable');
};

/** What is in the file that it opens. */
const contentOf = async (root: string, path: string): Promise<string | undefined> => {
  const file = await openInside(root, path);
  if (file === undefined) return undefined;
  try {
    return await file.handle.readFile('utf8');
  } finally {
    await file.handle.close();
  }
};

describe('inside', () => {
  it.each([
    ['a.txt', 'a'],
    ['sub/b.txt', 'b'],
    ['./sub//b.txt', 'b'],
    // Names that only look dangerous.
    ['..c/..d.txt', 'dots'],
    // What was decoded once is not decoded again.
    ['%2e%2e%2fsecret.txt', 'escaped'],
  ])('opens %s', async (path, content) => {
    expect(await contentOf(setting().root, path)).toBe(content);
  });

  it.each([
    '..',
    '../secret.txt',
    '../root-2/secret.txt',
    'sub/../../secret.txt',
    // Not needed by anybody, so not reasoned about.
    'sub/../a.txt',
    'sub/..',
    '../root/a.txt',
    '/etc/passwd',
    '//etc/passwd',
    '/../secret.txt',
    'a.txt\0',
    'a.txt\0.png',
    '.git/config',
    '.GIT/config',
    'sub/.git',
    'node_modules/x/index.js',
  ])('refuses %j', async (path) => {
    const { root } = setting();
    if (path.startsWith('.GIT') || path === 'sub/.git') mkdirSync(`${root}/${path}`, { recursive: true });
    expect(await refusal(root, path)).toMatch(/^refused: /);
  });

  it('refuses the absolute path of a file that it would serve', async () => {
    const { root } = setting();
    expect(await refusal(root, `${root}/a.txt`)).toContain('is absolute');
  });

  it.each(['', '.', 'sub', 'sub/', 'nope', 'nope/a.txt', 'a.txt/nope', 'x'.repeat(5000)])(
    'finds no file under %j',
    async (path) => {
      expect(await openInside(setting().root, path)).toBeUndefined();
    },
  );

  it('follows a link to a file of the folder', async () => {
    const { root } = setting();
    symlinkSync('sub/b.txt', `${root}/link`);
    symlinkSync('link', `${root}/chain`);
    expect(await contentOf(root, 'chain')).toBe('b');
  });

  it.each([
    ['to a file', (at: (name: string) => string) => symlinkSync(at('secret.txt'), at('root/out')), 'out'],
    ['to a relative path', (at: (name: string) => string) => symlinkSync('../secret.txt', at('root/out')), 'out'],
    ['to a folder', (at: (name: string) => string) => symlinkSync(at('root-2'), at('root/out')), 'out/secret.txt'],
    ['to the parent', (at: (name: string) => string) => symlinkSync('..', at('root/out')), 'out/secret.txt'],
    [
      'at the end of a chain',
      (at: (name: string) => string) => {
        symlinkSync('two', at('root/one'));
        symlinkSync('sub/three', at('root/two'));
        symlinkSync('../../secret.txt', at('root/sub/three'));
      },
      'one',
    ],
    ['to what is not served', (at: (name: string) => string) => symlinkSync('.git/config', at('root/out')), 'out'],
  ])('refuses a link out of the folder: %s', async (_, link, path) => {
    const { root, at } = setting();
    link(at);
    expect(await refusal(root, path)).toMatch(/link|not served/);
  });

  it('refuses a file that has been replaced by a link since', async () => {
    const { root, secret } = setting();
    expect(await contentOf(root, 'a.txt')).toBe('a');
    unlinkSync(`${root}/a.txt`);
    symlinkSync(secret, `${root}/a.txt`);
    expect(await refusal(root, 'a.txt')).toContain('link');
  });

  it('refuses a file whose folder has been replaced by a link since', async () => {
    const { root, at } = setting();
    renameSync(`${root}/sub`, at('elsewhere'));
    symlinkSync(at('elsewhere'), `${root}/sub`);
    expect(await refusal(root, 'sub/b.txt')).toContain('link');
  });

  it.each([
    {
      what: 'files',
      path: 'a.txt',
      lead: (root: string, secret: string) => {
        renameSync(`${root}/a.txt`, `${root}/away`);
        symlinkSync(secret, `${root}/a.txt`);
      },
      back: (root: string) => renameSync(`${root}/away`, `${root}/a.txt`),
    },
    {
      what: 'folders',
      path: 'sub/secret.txt',
      lead: (root: string) => {
        renameSync(`${root}/sub`, `${root}/away`);
        symlinkSync(`${root}-2`, `${root}/sub`);
      },
      back: (root: string) => {
        unlinkSync(`${root}/sub`);
        renameSync(`${root}/away`, `${root}/sub`);
      },
    },
  ])(
    'gives the secret to nobody while $what are exchanged for links as fast as can be',
    async ({ path, lead, back }) => {
      const { root, secret } = setting();
      writeFileSync(`${root}/sub/secret.txt`, 'mine');
      let running = true;
      const read: string[] = [];
      const reading = async () => {
        while (running)
          read.push(
            await contentOf(root, path).then(
              (text) => text ?? 'missing',
              () => 'refused',
            ),
          );
      };
      const readers = Array.from({ length: 4 }, reading);
      for (let exchange = 0; exchange < 500; exchange += 1) {
        lead(root, secret);
        await readFile(secret);
        back(root);
        await readFile(secret);
      }
      running = false;
      await Promise.all(readers);
      expect(read.length).toBeGreaterThan(100);
      expect(read).not.toContain('secret');
    },
  );

  it('goes round no circle of links', async () => {
    const { root } = setting();
    symlinkSync('b', `${root}/a`);
    symlinkSync('a', `${root}/b`);
    expect(await openInside(root, 'a')).toBeUndefined();
  });

  it.skipIf(process.platform === 'win32')('does not wait at a pipe', async () => {
    const { root } = setting();
    execFileSync('mkfifo', [`${root}/pipe`]);
    expect(await openInside(root, 'pipe')).toBeUndefined();
  });
});
