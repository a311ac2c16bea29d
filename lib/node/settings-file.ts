/** The file of settings: looked at once, or again and again. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { distinctUntilChanged, exhaustMap, filter, map, Observable, pairwise, skip, startWith } from 'rxjs';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import { parse } from '../frame/json.ts';
import { Unreadable } from '../frame/unreadable.ts';

/** What a file holds, or the system's word for why nobody knows. */
export type Look = { readonly text: string } | { readonly code: string };

export const look = (path: string): Look => {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return unseen(error);
  }
};

const unseen = (error: unknown): Look => ({
  code: error instanceof Error && 'code' in error ? String(error.code) : 'for no known reason',
});

const same = (a: Look, b: Look): boolean =>
  'text' in a ? 'text' in b && a.text === b.text : 'code' in b && a.code === b.code;

/**
 * Emits each look that differs from the one before, starting from a first that is not emitted. Looks for itself rather
 * than by `watchFile`, which would miss a change between that first look and its own. A change counts when two looks
 * in a row agree: a file is cut off and gone for a moment while it is written. Keeps no process alive.
 *
 * @param everyMs - between two looks, in milliseconds
 */
export const changes = (path: string, first: Look, everyMs: number): Observable<Look> =>
  ticks(everyMs).pipe(
    exhaustMap(() => readFile(path, 'utf8').then((text): Look => ({ text }), unseen)),
    startWith(first),
    pairwise(),
    filter(([before, now]) => same(before, now)),
    map(([, now]) => now),
    startWith(first),
    distinctUntilChanged(same),
    skip(1),
  );

const ticks = (everyMs: number): Observable<undefined> =>
  new Observable((subscriber) => {
    const timer = setInterval(() => subscriber.next(undefined), everyMs);
    timer.unref();
    return () => clearInterval(timer);
  });

/** The settings that a file holds, or what is wrong with it; never quotes it. */
export const contentOf = (
  seen: Look,
  named: boolean,
): { readonly ok: true; readonly content: JsonObject } | { readonly ok: false; readonly problem: string } => {
  const wrong = (problem: string) => ({ ok: false, problem }) as const;
  if (!('text' in seen)) {
    if (seen.code !== 'ENOENT') return wrong(`cannot be read (${seen.code})`);
    return named ? wrong('does not exist') : { ok: true, content: {} };
  }
  // Some editors of Windows begin a file with a mark of its byte order.
  const value = parse(seen.text.replace(/^\uFEFF/, ''));
  if (value instanceof Unreadable) return wrong(value.reason);
  if (isObject(value)) return { ok: true, content: value };
  const held = value === null ? 'null' : isArray(value) ? 'an array' : `a ${typeof value}`;
  return wrong(`must hold a JSON object, holds ${held}`);
};
