/** Rows whose measured process is a server on the network: one `served.mjs` for each contender, one driver for all. */
import { type Child, start } from '../child.ts';
import type { Cores } from '../cores.ts';
import { type Library, type Revision, type Running, contenderFile, measuredFile } from '../row.ts';

/** How each contender serves. */
export interface Serving {
  readonly file: string;
  /** The export of the contender's file. */
  readonly name: (library: Library) => string;
  readonly libraries: readonly Library[];
  readonly args?: readonly string[] | ((library: Library) => readonly string[]);
  readonly flags?: readonly string[];
}

/** What the driver does with each server, as `web-driver.mjs` has it. */
export interface Driving {
  readonly kind: 'http' | 'websocket';
  readonly tool: 'echo' | 'progress';
  /** What the tool is to say again. Default: the text that all contenders know. */
  readonly said?: string;
  /** Connections, each with one call at a time. */
  readonly lanes: number;
  readonly holds?: 'streams' | 'sessions';
  /** What proves who calls. */
  readonly authorization?: string;
}

/** `entry` is another export of SDK 2.x, `open` another one of ours. */
const folders: Readonly<Partial<Record<Library, Library>>> = { entry: 'sdk2', open: 'ours' };
const folderOf = (library: Library): Library => folders[library] ?? library;

export const web = async (
  cores: Cores,
  revision: Revision,
  { file, name, libraries, args = [], flags = [] }: Serving,
  driving: Driving,
): Promise<Running> => {
  const driver: Child = await start(cores.driving(measuredFile('web-driver.mjs')));
  for (const library of libraries) {
    const given = typeof args === 'function' ? args(library) : args;
    const contender = contenderFile(folderOf(library), file);
    const command = cores.measured(...flags, measuredFile('served.mjs'), contender, name(library), revision, ...given);
    await driver.ask({ spawn: library, command, revision, ...driving });
  }
  return {
    contenders: libraries.map((library) => ({
      name: library,
      measure: (count) => driver.ask({ key: library, [driving.holds === undefined ? 'calls' : 'hold']: count }),
    })),
    stop: () => driver.stop(),
  };
};
