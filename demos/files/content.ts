/** What the bytes of a file are: text or not, and of which type. */
import { extname } from 'node:path';

/** As much of a file as git looks at for the same question. */
const sniffed = 8000;

/** Whether these bytes, from the start of a file, are no text. */
export const isBinary = (bytes: Uint8Array): boolean => bytes.subarray(0, sniffed).includes(0);

/** These bytes as text; undefined where they are none, for text may only be what really is text (RES-04). */
export const textOf = (bytes: Uint8Array): string | undefined => {
  if (isBinary(bytes)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
};

const types: Readonly<Record<string, string>> = {
  css: 'text/css',
  csv: 'text/csv',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript',
  json: 'application/json',
  log: 'text/plain',
  md: 'text/markdown',
  mjs: 'text/javascript',
  mp3: 'audio/mpeg',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  ts: 'text/typescript',
  txt: 'text/plain',
  wasm: 'application/wasm',
  webp: 'image/webp',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
};

/** The type that a file's name promises; undefined where it promises none. */
export const typeByName = (path: string): string | undefined => types[extname(path).slice(1).toLowerCase()];
