/**
 * The table against the official schemas of all revisions, both ways: nothing too little, nothing too much.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { codes } from '../../lib/frame/errors.ts';
import { at, type Shape } from '../../lib/protocol/dated.ts';
import { urlElicitationRequired } from '../../lib/protocol/elicitation.ts';
import { InputRequiredResult } from '../../lib/protocol/input.ts';
import { extend, methods, rowsAt, type MethodTable, type Row } from '../../lib/protocol/methods.ts';
import { ClientCapabilities, ServerCapabilities } from '../../lib/protocol/peer.ts';
import { isModern, revisions, within, type Revision } from '../../lib/protocol/revisions.ts';
import { JSONSchema } from '../../lib/protocol/schema.ts';
import { digest, type MethodFacts, type RevisionFacts } from './digest.ts';
import { flatten, isNode, type Facts } from './flatten.ts';

const official = join(import.meta.dirname, '../../../shared/schema');
const committed: Readonly<Record<string, RevisionFacts>> = JSON.parse(
  readFileSync(join(import.meta.dirname, 'digest.json'), 'utf8'),
);

const factsOf = (shape: Shape, revision: Revision): Facts => {
  const document: unknown = JSON.parse(JSON.stringify(JSONSchema.make(at(shape, revision))));
  const definitions = isNode(document) && isNode(document['$defs']) ? document['$defs'] : {};
  return flatten(document, definitions);
};

const inParams = (row: Row, revision: Revision) => ({
  bare: row.bare !== undefined && within(revision, row.bare.since, row.bare.until),
  params: factsOf(row.params, revision),
});

const ours = (revision: Revision): RevisionFacts => {
  const rows: Record<string, MethodFacts> = {};
  for (const from of ['client', 'server'] as const)
    for (const [method, row] of rowsAt(methods, revision, from))
      rows[method] = {
        kind: row.kind,
        from: [...(rows[method]?.from ?? []), from],
        ...inParams(row, revision),
        ...(row.result === undefined ? {} : { result: factsOf(row.result, revision) }),
        ...(row.asks === true && isModern(revision) ? { asks: row.asks } : {}),
      };
  const embedded = Object.entries<Row>(methods).filter(([, row]) => isModern(revision) && row.embedded === true);
  return {
    methods: rows,
    inputs: Object.fromEntries(
      embedded.map(([method, row]) => [
        method,
        { ...inParams(row, revision), ...(row.result === undefined ? {} : { result: factsOf(row.result, revision) }) },
      ]),
    ),
    ...(isModern(revision) ? { inputRequired: factsOf(InputRequiredResult, revision) } : {}),
    capabilities: { client: factsOf(ClientCapabilities, revision), server: factsOf(ServerCapabilities, revision) },
    errors: {},
  };
};

/** Every difference as a sentence. */
const differences = (theirs: unknown, mine: unknown, place: string): readonly string[] => {
  if (isNode(theirs) && isNode(mine))
    return [...new Set([...Object.keys(theirs), ...Object.keys(mine)])].flatMap((name) =>
      differences(theirs[name], mine[name], place === '' ? name : `${place} › ${name}`),
    );
  if (JSON.stringify(theirs) === JSON.stringify(mine)) return [];
  if (mine === undefined) return [`${place}: missing here, officially ${JSON.stringify(theirs)}`];
  if (theirs === undefined) return [`${place}: ${JSON.stringify(mine)} here, unknown officially`];
  return [`${place}: ${JSON.stringify(mine)} here, officially ${JSON.stringify(theirs)}`];
};

describe.each(revisions)('the table at %s', (revision) => {
  const theirs = committed[revision === 'draft' ? '2026-07-28' : revision];

  it('has the methods, fields, types and values of the official schema, and no others', () => {
    expect(theirs).toBeDefined();
    expect(differences({ ...theirs, errors: {} }, ours(revision), '')).toEqual([]);
  });
});

describe('error codes', () => {
  it('are those of the official schema, and the two that only older revisions know (RES-07, SAMP-17)', () => {
    const older: readonly number[] = [codes.resourceNotFound, codes.userRejected];
    expect(new Set(Object.values(committed['2026-07-28']?.errors ?? {}))).toEqual(
      new Set(Object.values(codes).filter((code) => !older.includes(code))),
    );
    expect(Object.values(committed['2025-11-25']?.errors ?? {})).toEqual([urlElicitationRequired]);
  });
});

describe('digest.json', () => {
  it.skipIf(!existsSync(official)).each(revisions)(
    'says of %s what the official schema says (needs ../shared/schema)',
    (revision) => {
      const document: unknown = JSON.parse(readFileSync(join(official, `${revision}.json`), 'utf8'));
      expect(differences(digest(document), committed[revision === 'draft' ? '2026-07-28' : revision], '')).toEqual([]);
    },
  );
});

describe('rowsAt', () => {
  it('lets each side send what the revision gives it', () => {
    expect(rowsAt(methods, '2025-11-25', 'client').has('notifications/progress')).toBe(true);
    expect(rowsAt(methods, '2026-07-28', 'client').has('notifications/progress')).toBe(false);
    expect(rowsAt(methods, '2026-07-28', 'server').has('notifications/progress')).toBe(true);
    expect([...rowsAt(methods, '2026-07-28', 'server').values()].every(({ kind }) => kind === 'notification')).toBe(
      true,
    );
  });

  it('is remembered per table', () => {
    expect(rowsAt(methods, '2026-07-28', 'client')).toBe(rowsAt(methods, '2026-07-28', 'client'));
    expect(rowsAt({ ...methods }, '2026-07-28', 'client')).not.toBe(rowsAt(methods, '2026-07-28', 'client'));
  });
});

describe('extend', () => {
  const tasks = {
    'tasks/update': {
      kind: 'request',
      from: 'client',
      since: '2026-07-28',
      params: methods['tasks/get'].params,
      result: methods.ping.result,
    },
  } as const satisfies MethodTable;

  it('makes a new table and leaves the old one as it was', () => {
    const more = extend(methods, tasks);
    expect(rowsAt(more, '2026-07-28', 'client').has('tasks/update')).toBe(true);
    expect(rowsAt(more, '2025-11-25', 'client').has('tasks/update')).toBe(false);
    expect(Object.keys(methods)).not.toContain('tasks/update');
    expectTypeOf(more['tasks/update'].kind).toEqualTypeOf<'request'>();
  });
});
