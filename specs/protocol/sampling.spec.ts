import { describe, expect, it } from 'vitest';
import { preferredModel } from '../../lib/protocol/sampling.ts';

describe('the model that a server would rather have', () => {
  const models = ['claude-5-opus', 'claude-5-haiku', 'gemini-4'];

  it.each([
    ['the first hint that fits (SAMP-09)', [{ name: 'gpt' }, { name: 'haiku' }, { name: 'opus' }], 'claude-5-haiku'],
    ['the first name that holds it (SAMP-10)', [{ name: 'claude' }], 'claude-5-opus'],
    ['no hint without a name', [{}, { name: 'gemini' }], 'gemini-4'],
    ['none, where no hint fits', [{ name: 'gpt' }], undefined],
    ['none, where there are no hints', [], undefined],
  ])('is that of %s', (_, hints, model) => {
    expect(preferredModel({ hints }, models)).toBe(model);
  });

  it('is nobody’s where there are no preferences', () => {
    expect(preferredModel(undefined, models)).toBeUndefined();
  });
});
