/** What a link can do that comes between the look at a path and the opening of it: made to happen, not waited for. */
import { renameSync, symlinkSync, unlinkSync } from 'node:fs';
import type * as Promises from 'node:fs/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openInside } from '../../../demos/files/inside.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const between = vi.hoisted(() => ({ before: () => {}, after: () => {} }));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof Promises>();
  const open: typeof real.open = async (...args) => {
    between.before();
    try {
      return await real.open(...args);
    } finally {
      between.after();
    }
  };
  return { ...real, open };
});

afterEach(() => Object.assign(between, { before: () => {}, after: () => {} }));

describe('openInside', () => {
  it.each([
    ['stays', false],
    ['is taken away again', true],
  ])('refuses what was opened through a folder that became a link, which %s', async (_, back) => {
    const { at } = temporaryFolder({ 'root/sub/a.txt': 'mine', 'outside/a.txt': 'secret' });
    between.before = () => {
      renameSync(at('root/sub'), at('root/away'));
      symlinkSync(at('outside'), at('root/sub'));
    };
    between.after = () => {
      if (!back) return;
      unlinkSync(at('root/sub'));
      renameSync(at('root/away'), at('root/sub'));
    };
    await expect(openInside(at('root'), 'sub/a.txt')).rejects.toThrow(/^refused: /);
  });

  it('does not open a file that became a link', async () => {
    const { at } = temporaryFolder({ 'root/a.txt': 'mine', secret: 'secret' });
    between.before = () => {
      unlinkSync(at('root/a.txt'));
      symlinkSync(at('secret'), at('root/a.txt'));
    };
    expect(await openInside(at('root'), 'a.txt')).toBeUndefined();
  });

  it('has nothing where a file is gone when it is opened', async () => {
    const { at } = temporaryFolder({ 'root/a.txt': 'mine' });
    between.before = () => unlinkSync(at('root/a.txt'));
    expect(await openInside(at('root'), 'a.txt')).toBeUndefined();
  });
});
