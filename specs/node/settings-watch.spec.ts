import { value } from 'effect/Redacted';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filter, firstValueFrom, map, take, type Observable } from 'rxjs';
import { Misconfigured, Schema, server, tool, tools, type Server } from 'rxmcp';
import { settings, type SettingsWatchOptions } from 'rxmcp/node';
import { linked } from 'rxmcp/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

vi.mock(import('node:fs/promises'), { spy: true });

let folder: string;
let file: string;
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  folder = mkdtempSync(join(tmpdir(), 'rxmcp-settings-'));
  file = join(folder, 'weather.json');
  holds({ days: 1 });
});
afterEach(() => {
  vi.useRealTimers();
  vi.clearAllMocks();
  rmSync(folder, { recursive: true });
});

const holds = (content: unknown): void => writeFileSync(file, JSON.stringify(content));

/** Lets a time go by in which the file is looked at, and waits until it was. */
const look = async (ms = 500): Promise<void> => {
  vi.advanceTimersByTime(ms);
  await Promise.allSettled(vi.mocked(readFile).mock.results.map(({ value: read }) => read));
};

/** Two looks have to agree. */
const settled = async (): Promise<void> => {
  await look();
  await look();
};

/** Lets time go by until something has happened. */
const during = async <T>(happening: Promise<T>): Promise<T> => {
  let happened = false;
  const done = () => (happened = true);
  happening.then(done, done);
  while (!happened) {
    await look();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return happening;
};

const fields = { days: Schema.Int, city: Schema.optional(Schema.String) };
const watched = (options: SettingsWatchOptions = {}) =>
  settings(fields, { prefix: 'P', file }).watch({ args: [], environment: {}, ...options });

/** What a stream has done so far. */
const recorded = <T>(source: Observable<T>) => {
  const seen: (T | 'complete' | { readonly failed: unknown })[] = [];
  const subscription = source.subscribe({
    next: (item) => seen.push(item),
    error: (failed: unknown) => seen.push({ failed }),
    complete: () => seen.push('complete'),
  });
  return { seen, subscription };
};

describe('watching settings', () => {
  it('emits at once, and again when the file says something else', async () => {
    const { seen, subscription } = recorded(watched());
    expect(seen).toEqual([{ days: 1 }]);
    await settled();
    holds({ days: 2, city: 'Oslo' });
    await settled();
    holds({ days: 3 });
    await settled();
    expect(seen).toEqual([{ days: 1 }, { days: 2, city: 'Oslo' }, { days: 3 }]);
    subscription.unsubscribe();
  });

  it('says nothing of a change that changes nothing', async () => {
    const { seen, subscription } = recorded(watched({ args: ['--city', 'Rome'] }));
    for (const text of ['{ "days": 1 }', '{ "city": "Oslo", "days": 1 }', '{ "$schema": "", "days": 1 }']) {
      writeFileSync(file, text);
      await settled();
    }
    expect(seen).toEqual([{ days: 1, city: 'Rome' }]);
    subscription.unsubscribe();
  });

  it('notices a file put in the place of another, one that appears and one that goes', async () => {
    rmSync(file);
    const { seen, subscription } = recorded(watched({ environment: { P_DAYS: '1' } }));
    const say = (city: string): void => {
      writeFileSync(`${file}.new`, JSON.stringify({ city }));
      renameSync(`${file}.new`, file);
    };
    say('Oslo');
    await settled();
    say('Rome');
    await settled();
    rmSync(file);
    await settled();
    expect(seen).toEqual([{ days: 1 }, { days: 1, city: 'Oslo' }, { days: 1, city: 'Rome' }, { days: 1 }]);
    subscription.unsubscribe();
  });

  it('waits until the file is written', async () => {
    const problems: unknown[] = [];
    const { seen, subscription } = recorded(watched({ onProblem: (problem) => problems.push(problem) }));
    writeFileSync(file, '');
    await look();
    writeFileSync(file, '{ "days":');
    await look();
    holds({ days: 2 });
    await look();
    expect(seen).toEqual([{ days: 1 }]);
    await look();
    expect(seen).toEqual([{ days: 1 }, { days: 2 }]);
    expect(problems).toEqual([]);
    subscription.unsubscribe();
  });

  it('keeps the last good settings when the file goes wrong, tells why once, and goes on', async () => {
    const problems: Misconfigured[] = [];
    const { seen, subscription } = recorded(watched({ onProblem: (problem) => problems.push(problem) }));
    holds({ days: 'many' });
    await settled();
    await settled();
    writeFileSync(file, 'days = 2');
    await settled();
    rmSync(file);
    await settled();
    holds({ days: 1 });
    await settled();
    expect(seen).toEqual([{ days: 1 }]);
    holds({ days: 2 });
    await settled();
    expect(seen).toEqual([{ days: 1 }, { days: 2 }]);
    expect(problems.every((problem) => problem instanceof Misconfigured)).toBe(true);
    expect(problems.map(({ message }) => message)).toEqual([
      `wrong settings:\n  days: expected a number, got "many" (file ${file})`,
      `wrong settings:\n  file ${file}: not JSON: it is malformed`,
      `wrong settings:\n  days is missing: give flag --days or environment P_DAYS or "days" in file ${file}`,
    ]);
    subscription.unsubscribe();
  });

  it('warns of what went wrong where nobody wants to be told', async () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    const { subscription } = recorded(watched());
    holds({});
    await settled();
    expect(warned.mock.calls).toEqual([[expect.stringContaining('days is missing'), 'Misconfigured']]);
    warned.mockRestore();
    subscription.unsubscribe();
  });

  it('fails where the first settings are wrong, and can be asked again', async () => {
    holds({ days: 'many' });
    const settings$ = watched();
    expect(recorded(settings$).seen).toEqual([{ failed: expect.any(Misconfigured) }]);
    expect(vi.getTimerCount()).toBe(0);
    holds({ days: 1 });
    expect(await firstValueFrom(settings$)).toEqual({ days: 1 });
  });

  it('completes where there is no file to watch', () => {
    const settings$ = settings(fields).watch({ args: ['--days=1'], environment: {} });
    expect(recorded(settings$).seen).toEqual([{ days: 1 }, 'complete']);
  });

  it('watches the file that the user named', async () => {
    const other = join(folder, 'other.json');
    writeFileSync(other, '{ "days": 5 }');
    const { seen, subscription } = recorded(watched({ args: ['--config', other] }));
    writeFileSync(other, '{ "days": 6 }');
    holds({ days: 7 });
    await settled();
    expect(seen).toEqual([{ days: 5 }, { days: 6 }]);
    subscription.unsubscribe();
  });

  it('goes on with the file that it began with when the folder is another', async () => {
    const home = process.cwd();
    const moved = vi.spyOn(process, 'cwd').mockReturnValue(folder);
    const { seen, subscription } = recorded(watched({ args: ['--config', 'weather.json'] }));
    moved.mockReturnValue(home);
    holds({ days: 2 });
    await settled();
    expect(seen).toEqual([{ days: 1 }, { days: 2 }]);
    moved.mockRestore();
    subscription.unsubscribe();
  });

  it('looks as often as it is told to', async () => {
    const { seen, subscription } = recorded(watched({ pollMs: 60_000 }));
    holds({ days: 2 });
    await look(119_999);
    expect(seen).toEqual([{ days: 1 }]);
    await look(1);
    expect(seen).toEqual([{ days: 1 }, { days: 2 }]);
    subscription.unsubscribe();
  });

  it('sees a secret that has changed', async () => {
    holds({ token: 'first' });
    const secrets = settings({ token: Schema.Redacted(Schema.String) }, { file });
    const { seen, subscription } = recorded(
      secrets.watch({ args: [], environment: {} }).pipe(map(({ token }) => value(token))),
    );
    holds({ token: 'second' });
    await settled();
    expect(seen).toEqual(['first', 'second']);
    subscription.unsubscribe();
  });

  it('is one watch for all, of which nothing is left after the last', async () => {
    const settings$ = watched();
    expect(vi.getTimerCount()).toBe(0);
    const all = [recorded(settings$), recorded(settings$)];
    expect(vi.getTimerCount()).toBe(1);
    holds({ days: 2 });
    await settled();
    const late = recorded(settings$);
    expect(late.seen).toEqual([{ days: 2 }]);
    expect(vi.getTimerCount()).toBe(1);
    for (const { seen, subscription } of all) {
      expect(seen).toEqual([{ days: 1 }, { days: 2 }]);
      subscription.unsubscribe();
    }
    expect(vi.getTimerCount()).toBe(1);
    // A look that is under way when the last one goes is looked at by nobody.
    holds({ days: 3 });
    await look();
    vi.advanceTimersByTime(500);
    late.subscription.unsubscribe();
    await look();
    expect(vi.getTimerCount()).toBe(0);
    const looks = vi.mocked(readFile).mock.calls.length;
    await settled();
    expect(vi.mocked(readFile)).toHaveBeenCalledTimes(looks);
    expect(late.seen).toEqual([{ days: 2 }]);
    expect(await firstValueFrom(settings$)).toEqual({ days: 3 });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps no process alive', () => {
    vi.useRealTimers();
    // Only timers that keep a process alive are counted.
    const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'Timeout').length;
    const before = timers();
    const control = setInterval(() => undefined, 60_000);
    expect(timers()).toBe(before + 1);
    clearInterval(control);
    const subscription = watched().subscribe();
    expect(timers()).toBe(before);
    subscription.unsubscribe();
  });
});

describe('a server whose tools depend on settings', () => {
  const rain = (city: string) => tool(`rain-${city}`, {}, () => `It rains in ${city}`);

  it('offers others when the file changes, and a handler goes by the settings of the moment', async () => {
    holds({ cities: ['oslo'], unit: 'c' });
    const settings$ = settings({ cities: Schema.Array(Schema.String), unit: Schema.Literal('c', 'f') }, { file }).watch(
      { args: [], environment: {} },
    );
    const weather: Server = server(
      { name: 'weather', version: '1.0.0' },
      tools(settings$.pipe(map(({ cities }) => cities.map(rain)))),
      tool('unit', {}, () =>
        settings$.pipe(
          take(1),
          map(({ unit }) => unit),
        ),
      ),
    );
    {
      await using link = await linked(weather);
      const names$ = link.client.tools$.pipe(map((list) => list.map(({ name }) => name).sort()));
      const { seen, subscription } = recorded(names$);
      await during(firstValueFrom(names$));
      expect(await link.client.callTool('unit', {})).toMatchObject({ content: [{ text: 'c' }] });

      const changed = firstValueFrom(names$.pipe(filter((names) => names.includes('rain-rome'))));
      holds({ cities: ['rome'], unit: 'f' });
      await during(changed);
      expect(seen).toEqual([
        ['rain-oslo', 'unit'],
        ['rain-rome', 'unit'],
      ]);
      expect(await link.client.callTool('unit', {})).toMatchObject({ content: [{ text: 'f' }] });
      expect(await link.client.callTool('rain-rome', {})).toMatchObject({ content: [{ text: 'It rains in rome' }] });
      subscription.unsubscribe();
    }
    expect(vi.getTimerCount()).toBe(0);
  });
});
