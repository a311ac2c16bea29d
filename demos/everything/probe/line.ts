/** One line of output: a JSON object, for scripts. */
import type { JsonObject } from 'rxmcp';

export type Print = (event: string, rest?: JsonObject) => void;

export const print: Print = (event, rest) => void process.stdout.write(`${JSON.stringify({ event, ...rest })}\n`);

/** What went wrong, in the words and with the code of the peer, or with the name of our own error. */
export const errorOf = (error: unknown): JsonObject => {
  if (!(error instanceof Error)) return { code: 'Error', message: String(error) };
  const code = 'code' in error ? error.code : '_tag' in error ? error._tag : error.name;
  return { code, message: error.message };
};

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
