/** The probe's command line: where to, in which era, and what to do there, in the order in which it was given. */
import { parseArgs } from 'node:util';
import { latestRevision, revisions, type Revision } from 'rxmcp';
import { call, prompt, read, type Errand } from './errand.ts';

const targets = ['stdio', 'url', 'sse', 'ws'] as const;

export interface Orders {
  readonly to: { readonly kind: (typeof targets)[number]; readonly address: string };
  /** The revisions to try; undefined finds out. */
  readonly revisions: readonly Revision[] | undefined;
  readonly errands: readonly Errand[];
  /** How long each request may take, in milliseconds. */
  readonly timeoutMs: number | undefined;
}

const errands: Readonly<Record<string, (text: string) => Errand>> = { call, read, prompt };
const eras: ReadonlyMap<string, readonly Revision[] | undefined> = new Map([
  ['auto', undefined],
  ['legacy', revisions.filter((revision) => revision < latestRevision)],
  ['modern', [latestRevision]],
]);

/** @throws Error naming the part of the command line that cannot be */
export const ordersOf = (argv: readonly string[]): Orders => {
  const several = { type: 'string', multiple: true } as const;
  const { values, tokens } = parseArgs({
    args: [...argv],
    tokens: true,
    options: {
      stdio: { type: 'string' },
      url: { type: 'string' },
      sse: { type: 'string' },
      ws: { type: 'string' },
      era: { type: 'string', default: 'auto' },
      timeout: { type: 'string' },
      call: several,
      read: several,
      prompt: several,
    },
  });
  const given = targets.flatMap((kind) => {
    const address = values[kind];
    return address === undefined ? [] : [{ kind, address }];
  });
  const [to] = given;
  if (to === undefined || given.length > 1)
    throw new Error(`exactly one of ${targets.map((kind) => `--${kind}`).join(', ')} says where to`);
  if (!eras.has(values.era)) throw new Error(`--era must be auto, legacy or modern; got ${values.era}`);
  return {
    to,
    revisions: eras.get(values.era),
    timeoutMs: values.timeout === undefined ? undefined : millisecondsOf(values.timeout),
    errands: tokens.flatMap((token) => {
      const make = token.kind === 'option' ? errands[token.name] : undefined;
      return token.kind === 'option' && make !== undefined ? [make(token.value ?? '')] : [];
    }),
  };
};

const millisecondsOf = (text: string): number => {
  const ms = Number(text);
  if (text.trim() === '' || !(ms > 0)) throw new Error(`--timeout must be a number of milliseconds; got ${text}`);
  return ms;
};
