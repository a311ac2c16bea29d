/** Starts the server of this demo for a folder, in a process of its own, and connects to it. */
import { fileURLToPath } from 'node:url';
import { open } from 'rxmcp';
import { spawn, type Exit } from 'rxmcp/node';
import { check } from '../../story/check.ts';
import type { Files } from '../files.ts';

/** The project: what its own folder is, and from where the loader of TypeScript is found. */
export const project = fileURLToPath(new URL('../../../', import.meta.url));

const program = fileURLToPath(new URL('../server.ts', import.meta.url));

export type FilesClient = Awaited<ReturnType<typeof open<Files>>>;

export interface Reached extends AsyncDisposable {
  readonly client: FilesClient;
  /** Closes the connection; resolves when the process is gone, and tells how it ended. */
  readonly leave: () => Promise<Exit | undefined>;
}

export const reach = async (folder: string): Promise<Reached> => {
  const target = spawn(process.execPath, ['--import', 'tsx', program, folder], { cwd: project });
  let exit: Exit | undefined;
  target.stderr$.subscribe((line) => console.error(line));
  target.exit$.subscribe((ended) => (exit = ended));
  const client = await open<Files>(target);
  const leave = async (): Promise<Exit | undefined> => {
    await client.close();
    return exit;
  };
  return { client, leave, [Symbol.asyncDispose]: async () => void (await leave()) };
};

/** What the server says that it has done. */
export const statsOf = async (client: FilesClient) => {
  const { structuredContent } = await client.callTool('stats', {});
  check(structuredContent !== undefined, 'the stats tool should give structured content');
  return structuredContent;
};
