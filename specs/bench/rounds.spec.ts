/** The bench itself: turns are fair, medians are medians, and a miss is called one. */
import { describe, expect, it } from 'vitest';
import { json, judged, table } from './report.ts';
import type { Line } from './report.ts';
import { type Contender, type Measured, type Plan, interleave } from './rounds.ts';
import { type Row, contenderFile, librariesOf, measuredFile } from './row.ts';
import { existsSync } from 'node:fs';

const plan: Plan = { rounds: 4, warmUps: 2, first: 10, turn: 1000, by: 'cpu' };

const contender = (name: string, perCall: (turn: number) => number, turns: [string, number][]): Contender => {
  let turn = 0;
  return {
    name,
    measure: (calls) => {
      turns.push([name, calls]);
      const cpu = perCall(turn++) * calls;
      return Promise.resolve({ cpu, wall: cpu * 3 });
    },
  };
};

describe('interleave', () => {
  it('lets contenders take turns, each the first in its round, with as many calls as fill the turn', async () => {
    const turns: [string, number][] = [];
    await interleave([contender('slow', () => 100, turns), contender('fast', () => 1, turns)], plan);
    expect(turns.map(([name]) => name).join(' ')).toBe('slow fast fast slow slow fast fast slow slow fast fast slow');
    expect(turns.filter(([name]) => name === 'slow').map(([, calls]) => calls)).toEqual([10, 10, 10, 10, 10, 10]);
    expect(turns.filter(([name]) => name === 'fast').map(([, calls]) => calls)).toEqual([
      10, 1000, 1000, 1000, 1000, 1000,
    ]);
  });

  it('gives the median of the rounds and leaves the warm-up out', async () => {
    const took = [500, 900, 4, 2, 100, 6];
    const measured = await interleave([contender('ours', (turn) => took[turn] ?? NaN, [])], plan);
    expect(measured.get('ours')).toEqual({ median: 5, samples: [4, 2, 100, 6] });
  });

  it('divides what is held by how many hold it', async () => {
    const held: Contender = { name: 'ours', measure: (count) => Promise.resolve({ bytes: 7 * count }) };
    expect((await interleave([held], { ...plan, warmUps: 0, by: 'bytes' })).get('ours')?.median).toBe(7);
  });

  it('goes by the clock where the plan says so', async () => {
    const measured = await interleave([contender('ours', () => 10, [])], { ...plan, by: 'wall' });
    expect(measured.get('ours')?.median).toBe(30);
  });
});

describe('the report', () => {
  const row: Row = {
    title: 'echo',
    revision: '2025-11-25',
    wanted: { sdk2: 0.1, bare: 40 },
    plan,
    start: () => Promise.reject(new Error('not started here')),
  };
  const line = (ours: number): Line => {
    const measured = (median: number): Measured => ({ median, samples: [median] });
    return {
      row,
      measured: new Map([
        ['ours', measured(ours)],
        ['bare', measured(1)],
        ['sdk1', measured(30)],
        ['sdk2', measured(40)],
      ]),
    };
  };

  it('says what is as wanted and what is missed', () => {
    expect(judged(line(4))).toEqual({ ratios: { sdk2: 0.1, bare: 4, open: NaN }, good: true });
    expect(judged(line(4.1)).good).toBe(false);
    const [, good, missed] = table([line(4), line(40_000)]).split('\n');
    expect(good?.replace(/\s+/g, ' ')).toBe(
      'echo 2025-11-25 4.0 1.0 30.0 40.0 - - 0.100 0.025 4.000 - <= 0.1 sdk2, <= 40 bare ok',
    );
    expect(missed).toMatch(/40 ms .*MISSED$/);
  });

  it('holds all limits at once', () => {
    const both = (sdk2: number, bare: number) => judged({ ...line(4), row: { ...row, wanted: { sdk2, bare } } }).good;
    expect([both(0.1, 4), both(0.09, 4), both(0.1, 3.9)]).toEqual([true, false, false]);
  });

  it('judges what is protected by the same without protection', () => {
    const samples = (median: number) => ({ median, samples: [median] });
    const guarded: Line = {
      row: { ...row, wanted: { open: 1.3 } },
      measured: new Map([
        ['ours', samples(12)],
        ['open', samples(10)],
      ]),
    };
    expect(judged(guarded)).toMatchObject({ ratios: { open: 1.2 }, good: true });
    expect(judged({ ...guarded, row: { ...row, wanted: { open: 1.1 } } }).good).toBe(false);
    expect(table([guarded])).toMatch(/ 1\.200 +<= 1\.3 open +ok$/);
  });

  it('judges memory by itself', () => {
    const held = (bytes: number): Line => ({
      row: { ...row, wanted: { bytes: 2_500 }, plan: { ...plan, by: 'bytes' } },
      measured: new Map([['ours', { median: bytes, samples: [bytes] }]]),
    });
    expect([2_500, 2_501, -10].map((bytes) => judged(held(bytes)).good)).toEqual([true, false, false]);
    expect(table([held(2_501)])).toMatch(/ 2\.50 kB .* <= 2\.5 kB\s+MISSED$/);
    expect(JSON.parse(json([held(2_500)], {}))).toMatchObject({ rows: [{ bytes: { ours: { median: 2_500 } } }] });
  });

  it('does not take a missing measurement for a good one', () => {
    expect(judged({ row, measured: new Map() }).good).toBe(false);
  });

  it('keeps every sample', () => {
    expect(JSON.parse(json([line(4)], { node: 'v20' }))).toMatchObject({
      node: 'v20',
      rows: [{ title: 'echo', wanted: { sdk2: 0.1 }, good: true, microseconds: { ours: { samples: [4] } } }],
    });
  });
});

it('has a script for every contender', () => {
  const files = librariesOf('2025-11-25').flatMap((library) =>
    ['server.mjs', 'client.mjs', 'memory.mjs', 'http.mjs', 'http-client.mjs'].map((file) =>
      contenderFile(library, file),
    ),
  );
  const sockets = (['ours', 'bare'] as const).map((library) => contenderFile(library, 'websocket.mjs'));
  const measured = ['caller.mjs', 'driver.mjs', 'served.mjs', 'web-driver.mjs'].map(measuredFile);
  expect([...files, ...sockets, ...measured].filter((file) => !existsSync(file))).toEqual([]);
});
