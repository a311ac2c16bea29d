/** A folder for one test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface TemporaryFolder {
  /** Links in it resolved. */
  readonly path: string;
  readonly at: (name: string) => string;
  readonly write: (name: string, content: string | Uint8Array) => void;
}

/** @param files - their contents, by path */
export const temporaryFolder = (files: Readonly<Record<string, string | Uint8Array>> = {}): TemporaryFolder => {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'rxmcp-spec-')));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  const at = (name: string) => join(path, name);
  const write = (name: string, content: string | Uint8Array) => {
    mkdirSync(dirname(at(name)), { recursive: true });
    writeFileSync(at(name), content);
  };
  for (const [name, content] of Object.entries(files)) write(name, content);
  return { path, at, write };
};
