/** An empty folder for a while. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Scratch {
  readonly folder: string;
  readonly remove: () => void;
}

/** Makes a temporary folder that does not outlive this process, however that ends. */
export const scratchFolder = (): Scratch => {
  const folder = mkdtempSync(join(tmpdir(), 'rxmcp-tour-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  // A signal ends a process without that event, unless somebody listens.
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  return { folder, remove };
};
