/**
 * Writes specs/protocol/digest.json from the official schemas: facts only, none of their sentences.
 *
 *     node --import tsx .scripts/digest.ts [directory with <revision>.json, ../shared/schema if not said]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { modernRevisions, revisions } from '../lib/protocol/revisions.ts';
import { digest } from '../specs/protocol/digest.ts';

const directory = process.argv[2] ?? join(import.meta.dirname, '../../shared/schema');
const target = join(import.meta.dirname, '../specs/protocol/digest.json');

const facts = Object.fromEntries(
  revisions.map(
    (revision) => [revision, digest(JSON.parse(readFileSync(join(directory, `${revision}.json`), 'utf8')))] as const,
  ),
);
const [latest] = modernRevisions;
if (JSON.stringify(facts['draft']) !== JSON.stringify(facts[latest]))
  throw new Error(`draft is no longer the same as ${latest}: write its differences into lib/protocol first`);
delete facts['draft'];
writeFileSync(target, `${JSON.stringify(facts, undefined, 1)}\n`);
