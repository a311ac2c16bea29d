/**
 * Text as the value of an HTTP header: as it is where a header can carry it, and in base64 between two markers where not.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#value-encoding
 */

const prefix = '=?base64?';
const suffix = '?=';

/** Visible ASCII, with spaces inside at most: what no HTTP stack alters on the way. */
const plain = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
/** What may come in; bytes beyond ASCII would mean something else to everybody who reads them. */
const permitted = /^[\t -~]*$/;
const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * What a header says for a text (HTTP26-33, HTTP26-54, HTTP26-55). The empty text is an empty value (HTTP26-57).
 *
 * @param value - any text; half of a surrogate pair, which no header can carry, becomes U+FFFD
 */
export const encodeHeader = (value: string): string => {
  if (plain.test(value) && !(value.startsWith(prefix) && value.endsWith(suffix))) return value;
  let bytes = '';
  for (const byte of encoder.encode(value)) bytes += String.fromCharCode(byte);
  return `${prefix}${btoa(bytes)}${suffix}`;
};

/**
 * The text that a header says (HTTP26-38), without the white space around it (HTTP26-40).
 *
 * @param header - as the HTTP stack gives it
 * @returns undefined where it holds characters that no header may, or what is no base64 of UTF-8 (HTTP26-37)
 */
export const decodeHeader = (header: string): string | undefined => {
  if (!permitted.test(header)) return undefined;
  const said = trimmed(header);
  // The markers are exact, and do not overlap; anything else is a text like any other (HTTP26-56).
  const marked = said.startsWith(prefix) && said.endsWith(suffix) && said.length >= prefix.length + suffix.length;
  if (!marked) return said;
  const inner = said.slice(prefix.length, -suffix.length);
  // What `atob` takes goes further: it forgives white space, and padding that is not there.
  if (inner.length % 4 !== 0 || !base64.test(inner)) return undefined;
  try {
    return decoder.decode(Uint8Array.from(atob(inner), (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
};

/** By hand: an expression that looks for white space at the end takes quadratic time where there is much inside. */
const trimmed = (header: string): string => {
  let [start, end] = [0, header.length];
  while (isBlank(header.charCodeAt(start))) start += 1;
  while (end > start && isBlank(header.charCodeAt(end - 1))) end -= 1;
  return end - start === header.length ? header : header.slice(start, end);
};

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;
