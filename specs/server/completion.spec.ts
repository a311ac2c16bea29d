import { expect, it } from 'vitest';
import { unknownArgument } from '../../lib/server/completion.ts';

it('says which argument is unknown, and repeats no more of it than a sentence can hold', () => {
  expect(unknownArgument('b', ['a', 'c']).message).toBe('argument "b" is unknown; there are a, c');
  expect(unknownArgument('b'.repeat(1e6), []).message).toBe(
    `argument "${'b'.repeat(100)}…" is unknown; there are none`,
  );
});
