/** Runs the probe as scripts do, and reads what it says. */
import type { JsonObject } from 'rxmcp';
import { run } from '../demo.ts';

export interface Event extends JsonObject {
  readonly event: string;
  readonly name?: string;
}

export interface Probed {
  readonly code: number | null;
  readonly events: readonly Event[];
  /** The events of one kind. */
  readonly of: (event: string) => readonly Event[];
  readonly seconds: number;
}

/** Resolves when it has exited, and no process that it has started is left. */
export const probed = async (...args: readonly string[]): Promise<Probed> => {
  const { code, stdout, seconds } = await run('demos/everything/probe.ts', ...args);
  if (!stdout.endsWith('\n')) throw new Error(`not a whole number of lines: ${JSON.stringify(stdout)}`);
  const events = stdout
    .slice(0, -1)
    .split('\n')
    .map((line) => JSON.parse(line) as Event);
  return { code, events, of: (event) => events.filter((each) => each.event === event), seconds };
};

/** A command line for a shell: node, and what it is to run. */
export const node = (...args: readonly string[]): string =>
  [process.execPath, ...args].map((part) => `"${part}"`).join(' ');
