/** Rows whose measured process makes the calls itself: one `caller.mjs` for each contender. */
import { start } from '../child.ts';
import type { Cores } from '../cores.ts';
import { type Library, type Revision, type Running, contenderFile, librariesOf, measuredFile } from '../row.ts';

/** What a contender's module is asked to open: its file, the export, the calls in flight, and further arguments. */
export interface Opened {
  readonly file: string;
  readonly name: string;
  readonly lanes: number;
  readonly args?: readonly string[];
  /** For Node. */
  readonly flags?: readonly string[];
}

export const callers = async (
  cores: Cores,
  revision: Revision,
  { file, name, lanes, args = [], flags = [] }: Opened,
): Promise<Running> => {
  const caller = (library: Library) => {
    const contender = [contenderFile(library, file), name, String(lanes), revision, ...args];
    return start(cores.measured(...flags, measuredFile('caller.mjs'), ...contender));
  };
  const children = await Promise.all(
    librariesOf(revision).map(async (library) => ({ library, child: await caller(library) })),
  );
  return {
    contenders: children.map(({ library, child }) => ({
      name: library,
      measure: (count) => child.ask({ calls: count }),
    })),
    stop: async () => {
      await Promise.all(children.map(({ child }) => child.stop()));
    },
  };
};
