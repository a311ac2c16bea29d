/** What the handler of one call does, one thing after the other, and what is to come of it. */
import * as fc from 'fast-check';
import { isModern, within, type Revision } from '../../lib/protocol/revisions.ts';

/** What a client makes of a question. */
export const manners = ['accept', 'decline', 'cancel', 'refuse', 'slow', 'fail', 'never'] as const;
export type Manner = (typeof manners)[number];

export interface Asked {
  readonly kind: 'form' | 'url' | 'sample' | 'roots';
  readonly manner: Manner;
}

export type Step =
  | { readonly do: 'progress' | 'log' | 'wait' | 'step' | 'ahead' | 'hang' | 'fail' }
  | { readonly do: 'ask'; readonly questions: readonly Asked[] };

export const ways = ['promise', 'iterable', 'observable', 'effect'] as const;
export type HandlerWay = (typeof ways)[number];

export interface Script {
  readonly way: HandlerWay;
  readonly steps: readonly Step[];
}

const question: fc.Arbitrary<Asked> = fc.record({
  kind: fc.constantFrom('form', 'form', 'sample', 'url', 'roots'),
  manner: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom('accept', 'slow') },
    { weight: 2, arbitrary: fc.constantFrom('decline', 'cancel', 'refuse') },
    { weight: 1, arbitrary: fc.constantFrom('fail', 'never') },
  ),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('progress', 'log', 'wait', 'step').map((what) => ({ do: what }) as const) },
  {
    weight: 4,
    arbitrary: fc
      .array(question, { minLength: 1, maxLength: 3 })
      .map((questions) => ({ do: 'ask', questions }) as const),
  },
  { weight: 2, arbitrary: fc.constantFrom('ahead', 'hang', 'hang', 'fail').map((what) => ({ do: what }) as const) },
);

/** What is said after the first round is said from within an answer: much can happen right then. */
const asksFirst: Step = { do: 'ask', questions: [{ kind: 'roots', manner: 'accept' }] };

export const script: fc.Arbitrary<Script> = fc.record({
  way: fc.constantFrom(...ways),
  steps: fc.oneof(
    { weight: 3, arbitrary: fc.array(step, { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.array(step, { maxLength: 3 }).map((rest) => [asksFirst, ...rest]) },
  ),
});

export const told = ({ way, steps }: Script): string =>
  `${way}: ${steps.map((one) => (one.do === 'ask' ? `ask(${one.questions.map(({ kind, manner }) => `${kind}→${manner}`).join(', ')})` : one.do)).join(', ')}`;

const stallings: readonly Manner[] = ['never', 'refuse', 'fail'];

/** Whether the call waits for ever, or may leave others waiting whose questions a proxy has put to it. */
export const mayStall = ({ steps }: Script): boolean =>
  steps.some(
    (one) => one.do === 'hang' || (one.do === 'ask' && one.questions.some(({ manner }) => stallings.includes(manner))),
  );

/** How a call ends that nobody disturbs. */
export type Fate = 'result' | 'failed' | 'error' | 'never';

const since: Readonly<Record<Asked['kind'], Revision>> = {
  form: '2025-06-18',
  url: '2025-11-25',
  sample: '2024-11-05',
  roots: '2024-11-05',
};

/** What becomes of the call at this question; undefined where it goes on. */
const outcome = ({ kind, manner }: Asked, revision: Revision): Fate | undefined => {
  if (kind === 'roots') return undefined;
  if (manner === 'never') return 'never';
  // To an older server a form that cannot be shown counts as cancelled.
  if (manner === 'fail') return kind === 'sample' || isModern(revision) ? 'error' : undefined;
  return manner === 'refuse' && kind === 'sample' ? 'error' : undefined;
};

export const fateOf = ({ steps }: Script, revision: Revision): Fate => {
  for (const one of steps) {
    if (one.do === 'hang') return 'never';
    if (one.do === 'fail') return 'failed';
    if (one.do !== 'ask') continue;
    // Nobody is asked anything before all is known to be askable.
    if (one.questions.some(({ kind }) => !within(revision, since[kind]))) return 'error';
    for (const asked of one.questions) {
      const end = outcome(asked, revision);
      if (end !== undefined) return end;
    }
  }
  return 'result';
};
