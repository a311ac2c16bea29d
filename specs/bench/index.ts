/**
 * `npm run bench [-- --quick] [-- --row <words>]`: what a call costs, ours against the official SDKs and against a bare
 * hand-written peer, in one run in which they take turns. Ours is the built package, as a user gets it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { cores } from './cores.ts';
import { type Line, judged, json, table } from './report.ts';
import { interleave } from './rounds.ts';
import type { Row } from './row.ts';
import { coldStart } from './rows/cold-start.ts';
import { httpClient } from './rows/http-client.ts';
import { httpGuarded } from './rows/http-guarded.ts';
import { heapOfSession, heapOfStream } from './rows/http-heap.ts';
import { httpLarge } from './rows/http-large.ts';
import { httpJson, httpManyTools, httpStream } from './rows/http-server.ts';
import { memoryEcho } from './rows/memory-echo.ts';
import { memoryProgress } from './rows/memory-progress.ts';
import { stdioClient } from './rows/stdio-client.ts';
import { stdioServer } from './rows/stdio-server.ts';
import { webSocketServer } from './rows/websocket-server.ts';

/** Rows that there are in both eras, and those of one. */
const both = [
  ...[memoryEcho, memoryProgress, stdioServer, stdioClient, coldStart],
  ...[httpJson, httpGuarded, httpLarge, httpClient, webSocketServer],
];
const single = [httpManyTools('2026-07-28'), httpStream('2025-11-25'), heapOfStream, heapOfSession];

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, row: { type: 'string', default: '' } },
});

const rows: readonly Row[] = (['2025-11-25', '2026-07-28'] as const)
  .flatMap((revision) => both.map((row) => row(revision)))
  .concat(single)
  .filter(({ title, revision }) => `${title} ${revision}`.includes(values.row))
  .sort((a, b) => a.title.localeCompare(b.title));

const versionOf = (name: string): string => {
  const manifest = new URL(`../../node_modules/${name}/package.json`, import.meta.url);
  return `${name} ${(JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version}`;
};

const pinned = cores();
const facts = {
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  pinned: pinned.said,
  quick: values.quick,
  peers: ['@modelcontextprotocol/sdk', '@modelcontextprotocol/client', '@modelcontextprotocol/server', 'ws'].map(
    versionOf,
  ),
};
console.log(`Node ${facts.node}, ${facts.cpu}; ${facts.pinned}\nagainst ${facts.peers.join(', ')}`);
if (values.quick) console.log('quick: shows that everything runs, its numbers mean nothing');

const lines: Line[] = [];
for (const row of rows) {
  // What is not warmed up has a number of its own.
  const warmUps = Math.min(1, row.plan.warmUps);
  const first = Math.min(1_000, row.plan.first);
  const plan = values.quick ? { ...row.plan, rounds: 1, warmUps, first, turn: 5_000 } : row.plan;
  console.log(`… ${row.title}, ${row.revision}: ${plan.rounds} rounds`);
  const running = await row.start(pinned);
  try {
    lines.push({ row, measured: await interleave(running.contenders, plan) });
  } finally {
    await running.stop();
  }
}

console.log(`\n${table(lines)}`);
const missed = lines.filter((line) => !judged(line).good).length;
console.log(`\n${lines.length - missed} of ${lines.length} as wanted`);

const folder = fileURLToPath(new URL('../../.bench/', import.meta.url));
mkdirSync(folder, { recursive: true });
const file = `${folder}${new Date().toISOString().replaceAll(':', '-').slice(0, 19)}.json`;
writeFileSync(file, `${json(lines, facts)}\n`);
console.log(`samples: ${file}`);
