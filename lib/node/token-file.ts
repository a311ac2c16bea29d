/** Tokens in a file that only its owner can read. */
import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { defer, distinctUntilChanged, filter, firstValueFrom, of, switchMap, type Observable } from 'rxjs';
import { memoryTokens, type TokenStore } from '../auth/token-store.ts';
import { Misconfigured } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { lockFile } from './lock-file.ts';
import { makeFolder, placeOf, readOwn, writeOwn } from './owner-file.ts';

/**
 * Keeps tokens in a file of JSON, from one run of a program to the next, and for several programs at a time. The file is
 * its owner's only (0600), as is its folder where there was none (0700); every change replaces it as a whole. A folder
 * beside it is there while a key is locked; what a dead process has left locked is taken over after 5 s.
 *
 * Fails with {@link Misconfigured} where others can read the file, where it is a link that somebody else has made, and
 * where it holds anything else than tokens: it is left as it is then.
 *
 * @param path - of the file; relative to where the program was started
 * @example
 * import { homedir } from 'node:os';
 *
 * const store = tokenFile(`${homedir()}/.config/weather/tokens.json`);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization/security-considerations#token-theft
 */
export const tokenFile = (path: string): TokenStore => {
  const named = resolve(path);
  /** Those of this process wait in their order; processes wait by looking. */
  const lines = memoryTokens();
  const locked = (line: string, lockOf: (file: string) => string): Observable<'waiting' | 'held'> =>
    lines.lock(line).pipe(
      switchMap((state) => (state === 'waiting' ? of(state) : lockFileAt(named, lockOf))),
      distinctUntilChanged(),
    );
  return {
    get: async (key) => (await tokensIn(await placeOf(named))).get(key),
    set: (key, value) =>
      firstValueFrom(
        locked('file', (file) => file).pipe(
          filter((state) => state === 'held'),
          switchMap(() => change(named, key, value)),
        ),
        { defaultValue: undefined },
      ),
    lock: (key) => locked(`key ${key}`, (file) => `${file}.${digest(key)}`),
  };
};

const lockFileAt = (named: string, lockOf: (file: string) => string): Observable<'waiting' | 'held'> =>
  defer(async () => {
    await makeFolder(named);
    return lockOf(await placeOf(named));
  }).pipe(switchMap(lockFile));

const change = async (named: string, key: string, value: JsonObject | undefined): Promise<void> => {
  const file = await placeOf(named);
  const tokens = await tokensIn(file);
  if (value === undefined) tokens.delete(key);
  else tokens.set(key, value);
  await writeOwn(file, `${JSON.stringify(Object.fromEntries(tokens), undefined, 2)}\n`);
};

const tokensIn = async (file: string): Promise<Map<string, JsonObject>> => {
  const text = await readOwn(file);
  const tokens = new Map<string, JsonObject>();
  for (const [key, value] of text === undefined ? [] : entriesOf(file, text)) {
    if (!isObject(value)) throw corrupt(file);
    tokens.set(key, value);
  }
  return tokens;
};

const entriesOf = (file: string, text: string): readonly [string, unknown][] => {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return Object.entries(value);
  } catch {
    // What the parser says may quote the text.
  }
  throw corrupt(file);
};

/** What is wrong with it is not said: it is secret. */
const corrupt = (file: string): Misconfigured =>
  new Misconfigured({ message: `${file} does not hold tokens as they are kept here: mend it, or remove it` });

/** What a key is called in the name of a file: keys are URLs and the like. */
const digest = (key: string): string => createHash('sha256').update(key).digest('hex').slice(0, 16);
