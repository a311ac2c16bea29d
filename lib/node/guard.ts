import type { Writable } from 'node:stream';

type Done = (error?: Error | null) => void;

export interface Guard {
  /** Writes to the guarded stream; nobody else can. */
  readonly write: (text: string) => boolean;
  readonly restore: () => void;
}

/**
 * Keeps everybody else (`console.log`, a chatty library) from writing into a stream that carries the protocol: what
 * they write goes elsewhere, and the first time a warning goes before it. What writes to the file descriptor itself
 * cannot be kept from it.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
export const guard = (output: Writable, elsewhere: Writable): Guard => {
  const own = Object.hasOwn(output, 'write');
  const previous = output.write.bind(output);
  const plain = Object.getOwnPropertyDescriptor(output, 'write');
  let active = true;
  let warned = false;

  const redirect = (chunk: string | Uint8Array, encoding?: BufferEncoding | Done, done?: Done): boolean => {
    const encoded = typeof encoding === 'string' ? encoding : 'utf8';
    const callback = typeof encoding === 'function' ? encoding : done;
    if (!active) return previous(chunk, encoded, callback);
    if (!warned) {
      warned = true;
      elsewhere.write('rxmcp: stdout carries the protocol, what else is written there goes to stderr from here on\n');
    }
    return elsewhere.write(chunk, encoded, callback);
  };
  output.write = redirect;

  return {
    write: (text) => previous(text, 'utf8'),
    restore: () => {
      active = false;
      // Whoever has put something in front of it since then still calls it.
      if (output.write !== redirect) return;
      if (own && plain !== undefined) Object.defineProperty(output, 'write', plain);
      else Reflect.deleteProperty(output, 'write');
    },
  };
};
