/** The command line of the MCP Inspector: one run connects, asks one thing, and goes. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { aside } from '../../.scripts/aside.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What one run came to. */
export interface Inspection {
  /**
   * 0, or what went wrong: 1 the server or the arguments said no, 4 no connection, 5 a tool that failed or is not there.
   */
  readonly code: number;
  /** The result, as the server gave it; undefined where there is none. */
  readonly result: unknown;
  /** What went wrong, in the Inspector's words; undefined where nothing did. */
  readonly error: { readonly code: string; readonly message: string } | undefined;
  /** All of its stderr, the server's included, for when a spec fails. */
  readonly stderr: string;
}

/** Starts a server, by its command, for one question to it. */
export type Inspect = (
  server: readonly string[],
  question: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<Inspection>;

/** The last line that is an error as the Inspector writes it; the server may have written others. */
const errorIn = (stderr: string): Inspection['error'] => {
  const line = stderr.split('\n').findLast((text) => text.startsWith('{"error":'));
  return line === undefined ? undefined : (JSON.parse(line) as { readonly error: Inspection['error'] }).error;
};

/**
 * Installs the Inspector aside where it is not there yet.
 *
 * @param home - a folder that it may take for the user's home
 */
const inspector = async (home: () => string): Promise<Inspect> => {
  const { node, script } = await aside();
  const program = await script('@modelcontextprotocol/inspector');
  return (server, question, env) =>
    new Promise((resolve, reject) => {
      // What it hands on to the server has to be said once more. The server's command ends where the first flag that it knows begins.
      const handed = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
      execFile(
        node,
        [program, '--cli', ...server, ...handed, '--format', 'json', ...question],
        { cwd: root, env: { ...env, PATH: process.env['PATH'], HOME: home() }, maxBuffer: 64 << 20 },
        (failure, stdout, stderr) => {
          const code = failure === null ? 0 : failure.code;
          if (typeof code !== 'number') reject(new Error(`the Inspector: ${stderr}`, { cause: failure }));
          else {
            // Anything but one JSON document on stdout is a failure of the Inspector, or ours: it is not for the server.
            const said = stdout.trim() === '' ? {} : (JSON.parse(stdout) as { readonly result?: unknown });
            resolve({ code, result: said.result, error: errorIn(stderr), stderr });
          }
        },
      );
    });
};

/** The Inspector where it can be had, and otherwise why not: suites are skipped then, and say so in their names. */
export interface Available {
  readonly inspect: Inspect;
  readonly missing: string | undefined;
  /** What to put at the end of a suite's name. */
  readonly named: string;
}

/** @param home - as `inspector` has it */
export const available = async (home: () => string): Promise<Available> => {
  try {
    return { inspect: await inspector(home), missing: undefined, named: '' };
  } catch (error) {
    const missing = error instanceof Error ? error.message : 'for no reason given';
    console.warn(`The Inspector is not driven, it cannot be installed: ${missing}`);
    return {
      inspect: () => Promise.reject(new Error(missing)),
      missing,
      named: `, which cannot be installed: ${missing.split('\n').slice(0, 2).join(' ')}`,
    };
  }
};
