/** Folders of one suite. */
import { mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Makes empty folders, their paths as the system spells them; they are gone when the suite is. Called before other hooks. */
export const folders = (): (() => Promise<string>) => {
  const made: string[] = [];
  afterAll(() => Promise.all(made.map((path) => rm(path, { recursive: true }))));
  return async () => {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'rxmcp-interop-')));
    made.push(path);
    return path;
  };
};
