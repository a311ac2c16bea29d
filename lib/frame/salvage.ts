/**
 * Finds out to whom the answer of an unreadable message is due: reads the top-level `id` of JSON that is broken, or too
 * long to be kept, byte by byte and without keeping any of it. A request whose id can be read always gets its answer.
 *
 * @see https://www.jsonrpc.org/specification#error_object
 */
import { isRequestId, type RequestId } from './frame.ts';

/** What could be read of a message that cannot be read as a whole. */
export interface Salvaged {
  /** The value of the top-level `id`; of several the last one, as in `JSON.parse`. */
  readonly id: RequestId | undefined;
  /** Whether it was a response: it holds a result or an error, and no method. Answering it would hit a stranger. */
  readonly response: boolean;
}

/** Longer ids and keys are nobody's. */
const tokenLimit = 1024;
/** Brackets are matched down to this depth; below it they are counted. */
const matchedDepth = 512;

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Reads one message in pieces. It follows strings and brackets only, so that it survives most damage; at a bracket
 * that does not match it stops, because whatever follows may be nested deeper than it seems.
 *
 * @example
 * const salvage = new Salvage();
 * salvage.push(new TextEncoder().encode('{"jsonrpc":"2.0","id":7,"meth'));
 * salvage.end().id; // 7
 */
export class Salvage {
  readonly #open = new Uint8Array(matchedDepth);
  readonly #token: number[] = [];
  #depth = 0;
  #inString = false;
  #escaped = false;
  #stopped = false;
  /** Whether the token is worth keeping: a key, or the value of `id`. */
  #keeping = false;
  #key: string | undefined;
  #id: unknown;
  #method = false;
  #outcome = false;

  /** Takes the next bytes of the message, cut anywhere. */
  push(bytes: Uint8Array): void {
    for (let index = 0; index < bytes.length && !this.#stopped; index += 1) {
      // Most of a long message is text that nobody keeps: to its end, or to an escape, in one go.
      if (this.#inString && !this.#escaped && !(this.#keeping && this.#depth === 1))
        while (index < bytes.length && bytes[index] !== quote && bytes[index] !== backslash) index += 1;
      const byte = bytes[index];
      if (byte !== undefined) this.#take(byte);
    }
  }

  /** What was found. A value that the message's end may have cut short does not count. */
  end(): Salvaged {
    return { id: isRequestId(this.#id) ? this.#id : undefined, response: this.#outcome && !this.#method };
  }

  #take(byte: number): void {
    if (this.#inString) {
      this.#keep(byte);
      if (this.#escaped) this.#escaped = false;
      else if (byte === backslash) this.#escaped = true;
      else if (byte === quote) this.#inString = false;
    } else if (this.#depth === 0) this.#begin(byte);
    else if (byte === quote) {
      this.#inString = true;
      this.#keep(byte);
    } else if (byte === openBrace || byte === openBracket) this.#down(byte);
    else if (byte === closeBrace || byte === closeBracket) this.#up(byte);
    else if (this.#depth > 1) return;
    else if (byte === colon && this.#key === undefined) this.#keyEnds();
    else if (byte === comma) this.#memberEnds();
    else this.#keep(byte);
  }

  /** Before the message: white space and a byte order mark may stand there; only an object has an id. */
  #begin(byte: number): void {
    if (byte <= 0x20 || byte >= 0x80) return;
    if (byte !== openBrace) this.#stopped = true;
    else {
      this.#down(byte);
      this.#keeping = true;
    }
  }

  #down(bracket: number): void {
    // The value of this member is no scalar.
    if (this.#depth === 1) this.#keeping = false;
    if (this.#depth < matchedDepth) this.#open[this.#depth] = bracket;
    this.#depth += 1;
  }

  #up(bracket: number): void {
    this.#depth -= 1;
    // In ASCII a closing bracket is two above its opening one.
    if (this.#depth < matchedDepth && this.#open[this.#depth] !== bracket - 2) this.#stopped = true;
    else if (this.#depth === 0) {
      this.#memberEnds();
      this.#stopped = true;
    }
  }

  #keep(byte: number): void {
    if (!this.#keeping || this.#depth !== 1) return;
    if (this.#token.length < tokenLimit) this.#token.push(byte);
    else this.#keeping = false;
  }

  /** The token as a JSON value; undefined where it is none, was not kept, or was too long to be kept whole. */
  #read(): unknown {
    if (!this.#keeping) return undefined;
    try {
      return JSON.parse(new TextDecoder().decode(Uint8Array.from(this.#token)));
    } catch {
      return undefined;
    }
  }

  #keyEnds(): void {
    const key = this.#read();
    this.#key = typeof key === 'string' ? key : '';
    if (this.#key === 'method') this.#method = true;
    if (this.#key === 'result' || this.#key === 'error') this.#outcome = true;
    this.#token.length = 0;
    this.#keeping = this.#key === 'id';
  }

  #memberEnds(): void {
    if (this.#key === 'id') this.#id = this.#read();
    this.#token.length = 0;
    this.#key = undefined;
    this.#keeping = true;
  }
}

/** {@link Salvage} for a message at hand. Encodes it piece by piece, so that a long one is not held twice. */
export const salvageText = (text: string): Salvaged => {
  const salvage = new Salvage();
  const encoder = new TextEncoder();
  const piece = new Uint8Array(Math.min(65_536, text.length * 3));
  for (let offset = 0; offset < text.length;) {
    const { read, written } = encoder.encodeInto(text.slice(offset, offset + piece.length), piece);
    salvage.push(piece.subarray(0, written));
    // Nothing is read only where the piece cannot hold one character.
    offset += Math.max(read, 1);
  }
  return salvage.end();
};
