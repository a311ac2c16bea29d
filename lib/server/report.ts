/** What a server tells its operator of: nothing in it is for a peer. */
import type { Request } from '../exchange/exchange.ts';
import { isObject } from '../frame/frame.ts';

/** Something that went wrong, or may; see `Server.errors$`. */
export interface Report {
  readonly level: 'error' | 'warning';
  /** The server's own name. */
  readonly server: string;
  /** What was being done, in words: `answering tools/call forecast`. */
  readonly doing: string;
  /** A sentence that says what it was. */
  readonly message: string;
  readonly method?: string;
  /** The tool, prompt or URI that was meant. */
  readonly name?: string;
  /** What was thrown, as it was thrown. */
  readonly error?: unknown;
}

export const warning = (server: string, message: string): Report => ({
  level: 'warning',
  server,
  doing: 'serving',
  message: `${server}: ${message}`,
});

export const reportOf = (server: string, { method, params }: Request, error: unknown): Report => {
  const name = isObject(params) ? (params['name'] ?? params['uri']) : undefined;
  const doing = `answering ${method}${typeof name === 'string' ? ` ${name}` : ''}`;
  return {
    level: 'error',
    server,
    doing,
    message: `${server}: ${doing} failed: ${told(error)}`,
    method,
    ...(typeof name === 'string' ? { name } : undefined),
    error,
  };
};

/** Not everything that can be thrown can be written down. */
const told = (error: unknown): string => {
  if (error instanceof Error) return error.message;
  try {
    return String(error);
  } catch {
    return 'something without words';
  }
};
