/**
 * The bridging list of the checklist (BR-01 to BR-75): what lies between the revisions, row by row. Each row is kept by a
 * spec that names it, or cannot be kept yet, for a reason.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const specs = new URL('../', import.meta.url);

/** The spec file that cites the row in the name of a test. */
const kept: Readonly<Record<string, string>> = {
  'BR-01': 'behaviour/parts/handshake.ts',
  'BR-02': 'era/upstream.spec.ts',
  'BR-03': 'era/upstream.spec.ts',
  'BR-04': 'era/upstream.spec.ts',
  'BR-05': 'era/upstream.spec.ts',
  'BR-06': 'exchange/multiplex.spec.ts',
  'BR-07': 'exchange/multiplex.spec.ts',
  'BR-08': 'era/serve.spec.ts',
  'BR-09': 'era/proxy.spec.ts',
  'BR-10': 'era/dial.spec.ts',
  'BR-11': 'era/bridging-http.spec.ts',
  'BR-12': 'era/parking.spec.ts',
  'BR-13': 'era/bridging-http.spec.ts',
  'BR-14': 'era/upstream.spec.ts',
  'BR-15': 'era/upstream.spec.ts',
  'BR-16': 'behaviour/parts/lists.ts',
  'BR-17': 'era/upstream.spec.ts',
  'BR-18': 'era/bridging-http.spec.ts',
  'BR-19': 'era/proxy.spec.ts',
  'BR-20': 'era/parking.spec.ts',
  'BR-21': 'era/serve.spec.ts',
  'BR-22': 'era/serve.spec.ts',
  'BR-23': 'era/upstream.spec.ts',
  'BR-24': 'era/hearing.spec.ts',
  'BR-25': 'behaviour/parts/handshake.ts',
  'BR-26': 'era/parking.spec.ts',
  'BR-27': 'era/question-up.spec.ts',
  'BR-28': 'era/question-down.spec.ts',
  'BR-29': 'era/asking.spec.ts',
  'BR-30': 'era/parking.spec.ts',
  'BR-31': 'era/serve.spec.ts',
  'BR-32': 'era/asking.spec.ts',
  'BR-33': 'era/visits.spec.ts',
  'BR-34': 'era/upstream.spec.ts',
  'BR-35': 'era/proxy.spec.ts',
  'BR-36': 'era/upstream.spec.ts',
  'BR-37': 'era/serve.spec.ts',
  'BR-46': 'behaviour/parts/content.ts',
  'BR-47': 'behaviour/parts/content.ts',
  'BR-48': 'behaviour/parts/content.ts',
  'BR-49': 'era/question-down.spec.ts',
  'BR-50': 'behaviour/parts/content.ts',
  'BR-51': 'behaviour/parts/content.ts',
  'BR-52': 'behaviour/parts/content.ts',
  'BR-53': 'behaviour/parts/content.ts',
  'BR-54': 'behaviour/parts/content.ts',
  'BR-55': 'behaviour/parts/content.ts',
  'BR-56': 'behaviour/parts/content.ts',
  'BR-57': 'behaviour/parts/calls.ts',
  'BR-58': 'era/upstream.spec.ts',
  'BR-59': 'era/upstream.spec.ts',
  'BR-60': 'era/question-down.spec.ts',
  'BR-61': 'era/question-down.spec.ts',
  'BR-62': 'era/question-down.spec.ts',
  'BR-63': 'era/question-down.spec.ts',
  'BR-64': 'era/question-down.spec.ts',
  'BR-65': 'era/question-down.spec.ts',
  'BR-66': 'era/question-down.spec.ts',
  'BR-67': 'era/question-down.spec.ts',
  'BR-68': 'era/question-down.spec.ts',
  'BR-69': 'era/question-up.spec.ts',
  'BR-70': 'era/question-down.spec.ts',
  'BR-71': 'middleware/merge.spec.ts',
  'BR-72': 'protocol/prune.spec.ts',
  'BR-73': 'era/proxy-asking.spec.ts',
  'BR-74': 'client/client.spec.ts',
  'BR-75': 'era/dial.spec.ts',
};

const tasks = 'needs tasks, an extension that is not there yet';

/** Why a row cannot be kept yet. */
const waiting: Readonly<Record<string, string>> = {
  'BR-38': tasks,
  'BR-39': tasks,
  'BR-40': tasks,
  'BR-41': tasks,
  'BR-42': tasks,
  'BR-43': tasks,
  'BR-44': tasks,
  'BR-45': tasks,
};

/** A quoted text that has the id in it: the name of a test, or what a test's name is made of. */
const names = (text: string, id: string): boolean =>
  [`'`, '"', '`'].some((quote) => new RegExp(`${quote}[^${quote}\n]*\\b${id}\\b[^${quote}\n]*${quote}`).test(text));

describe('the bridging list', () => {
  const rows = Array.from({ length: 75 }, (_, index) => `BR-${String(index + 1).padStart(2, '0')}`);

  it('has every row once', () => {
    expect([...Object.keys(kept), ...Object.keys(waiting)].sort()).toEqual(rows);
  });

  it.each(Object.entries(kept))('%s is kept by %s', (id, file) => {
    expect(names(readFileSync(new URL(file, specs), 'utf8'), id)).toBe(true);
  });

  it.each(Object.entries(waiting))('%s waits: it %s', (id) => {
    // A spec that keeps it would make the reason a lie.
    for (const file of new Set(Object.values(kept)))
      expect([file, names(readFileSync(new URL(file, specs), 'utf8'), id)]).toEqual([file, false]);
  });
});
