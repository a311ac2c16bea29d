/** The settings of a server: declared as schemas; read from flags, environment and a file, and again as that changes. */
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { concat, defer, distinctUntilChanged, EMPTY, map, mergeMap, of, shareReplay, type Observable } from 'rxjs';
import { Misconfigured } from '../frame/errors.ts';
import type { Schema } from '../protocol/schema.ts';
import type { Environment } from './environment.ts';
import { changes, look, type Look } from './settings-file.ts';
import { flagsOf, meanings } from './settings-flags.ts';
import { readAll } from './settings-read.ts';
import { setting, type Setting } from './settings-setting.ts';
import { usageOf } from './settings-usage.ts';

/** Where settings are looked for, beside the flags. */
export interface SettingsOptions {
  /** What variables begin with: with `WEATHER`, `maxDays` is `WEATHER_MAX_DAYS`. Default: none is read. */
  readonly prefix?: string | undefined;
  /** A JSON file, which need not exist; `--config` names another, which must. Default: none but that. */
  readonly file?: string | undefined;
}

/** What a program was started with. */
export interface StartedWith {
  /** Default `process.argv`, without the program itself. */
  readonly args?: readonly string[] | undefined;
  /** Default `process.env`. */
  readonly environment?: Environment | undefined;
}

/** How often to look for changes, and whom to tell of those that are wrong. */
export interface SettingsWatchOptions extends StartedWith {
  /** How often to look at the file, in milliseconds; a change shows after two looks. Default 500. */
  readonly pollMs?: number | undefined;
  /** Told of a change that is wrong; the last good settings stay. Default: a warning of the process. */
  readonly onProblem?: ((problem: Misconfigured) => void) | undefined;
}

/** An Effect Schema that needs no services, or a property of one, for each setting. */
export type SettingsFields = {
  readonly [name: string]: Schema.Struct.Fields[string] & {
    readonly [Schema.TypeId]: { readonly _R: (_: never) => never };
  };
};

/** Settings by name, frozen. Redacted ones show as `<redacted>` wherever they are shown. */
export type Settings<F extends SettingsFields> = Schema.Simplify<Schema.Struct.Type<F>> & {
  /** All settings for people, a line for each, with the source of each. */
  readonly toString: () => string;
};

/** Settings that were declared, to be read. */
export interface DeclaredSettings<F extends SettingsFields> {
  /**
   * Reads once.
   *
   * @throws {@link Misconfigured} naming all that is wrong: each setting, its source and the rule; nothing redacted
   */
  readonly read: (started?: StartedWith) => Settings<F>;
  /**
   * Emits the settings at once, and again when the file has changed to others that are right; completes where no file
   * is read. All subscribers share one watch, and nothing of it is left after the last; it keeps no process alive.
   * Fails with {@link Misconfigured} where the first settings are wrong; later ones that are go to `onProblem`.
   */
  readonly watch: (options?: SettingsWatchOptions) => Observable<Settings<F>>;
  /** What can be set, and how, as the text behind `--help`. */
  readonly usage: () => string;
}

/**
 * Declares the settings of a server. For each, the first of these counts: a flag (`--max-days 3`, `--max-days=3`;
 * `--cache` and `--no-cache`), a variable of the environment, the file. Nothing is read yet.
 *
 * Flags and variables are text: numbers, booleans (`true`, `yes`, `on`, `1` and their opposites) and lists (repeated
 * flags, or commas) are made of it; objects are written as JSON. An empty variable is none. Flags and members of the
 * file that are not declared are refused, apart from `$schema`.
 *
 * @param fields - an Effect Schema for each name in camelCase; `Schema.Redacted(…)` for secrets, which `value` of
 * `effect/Redacted` opens; `Schema.optionalWith(…, { default })` where none need be given; descriptions are for `usage`
 * @param options - what variables begin with, and the file
 * @throws {@link Misconfigured} where a name cannot be a flag, or two would be the same one
 * @example
 * const declared = settings(
 *   {
 *     port: Schema.optionalWith(Schema.Int.pipe(Schema.between(1, 65_535)), { default: () => 4000 }),
 *     cities: Schema.Array(Schema.String),
 *     apiKey: Schema.Redacted(Schema.String.pipe(Schema.minLength(20))),
 *   },
 *   { prefix: 'WEATHER', file: 'weather.json' },
 * );
 * if (process.argv.includes('--help')) console.log(declared.usage());
 * else serve(weather, listen({ port: declared.read().port })).subscribe();
 * @example
 * // A list that changes with the file; a handler would read what `settings$` has last emitted.
 * const settings$ = settings({ cities: Schema.Array(Schema.String) }, { file: 'weather.json' }).watch();
 * const rain = (city: string) => tool(`rain-${city}`, {}, () => `It rains in ${city}`);
 * server({ name: 'rain', version: '1.0.0' }, tools(settings$.pipe(map(({ cities }) => cities.map(rain)))));
 */
export const settings = <const F extends SettingsFields>(
  fields: F,
  { prefix, file }: SettingsOptions = {},
): DeclaredSettings<F> => {
  const declared = Object.entries(fields).map(([name, field]) => setting(name, field, prefix));
  checkFlags(declared);

  const sources = ({ args = process.argv.slice(2), environment = process.env }: StartedWith = {}) => {
    const flags = flagsOf(args, declared);
    const path = flags.file ?? file;
    const read = (seen?: Look) => {
      const seenFile = path === undefined || seen === undefined ? undefined : { path, seen };
      const { settings: all, fingerprint } = readAll(declared, { flags, environment, file: seenFile });
      // Each member is what its own schema made.
      return { settings: all as Settings<F>, fingerprint };
    };
    return { path, read };
  };

  return {
    read: (started) => {
      const { path, read } = sources(started);
      return read(path === undefined ? undefined : look(path)).settings;
    },
    watch: ({ pollMs = 500, onProblem = warn, ...started } = {}) =>
      defer(() => {
        const { path, read } = sources(started);
        if (path === undefined) return of(read());
        const absolute = resolve(path);
        const first = look(absolute);
        const readLater = (seen: Look) => {
          try {
            return of(read(seen));
          } catch (error) {
            if (!(error instanceof Misconfigured)) throw error;
            onProblem(error);
            return EMPTY;
          }
        };
        return concat(of(read(first)), changes(absolute, first, pollMs).pipe(mergeMap(readLater)));
      }).pipe(
        distinctUntilChanged((a, b) => isDeepStrictEqual(a.fingerprint, b.fingerprint)),
        map((read) => read.settings),
        shareReplay({ bufferSize: 1, refCount: true }),
      ),
    usage: () => usageOf(declared, file),
  };
};

const warn = ({ message }: Misconfigured): void => process.emitWarning(message, 'Misconfigured');

const checkFlags = (declared: readonly Setting[]): void => {
  const seen = new Set<string>();
  for (const [flag] of meanings(declared)) {
    if (seen.has(flag)) throw new Misconfigured({ message: `two settings would have the flag --${flag}` });
    seen.add(flag);
  }
};
