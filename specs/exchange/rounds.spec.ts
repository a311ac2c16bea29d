import { lastValueFrom, NEVER, of, Subject, throwError, toArray } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { InvalidAnswer, type Emission, type JsonObject } from 'rxmcp';
import { rounds, waiting, type Answerer } from '../../lib/exchange/rounds.ts';

const question = { method: 'roots/list' };
const needed = (more: JsonObject = {}): JsonObject => ({
  resultType: 'input_required',
  inputRequests: { key: question },
  ...more,
});
const done: Emission = { result: { resultType: 'complete' } };
const answers: Answerer = () => of({ roots: [] });

/** All that follows a result behind which work waits. */
const following = (answer: Answerer, ...then: readonly Emission[]) => {
  const asked: JsonObject[] = [];
  const drop = vi.fn();
  const ask = (again: JsonObject) => {
    asked.push(again);
    return of(then[Math.min(asked.length, then.length) - 1] ?? done);
  };
  const source = rounds({ method: 'tools/call', ask, answer }, waiting(needed({ requestState: 's' }), drop));
  return { asked, drop, source, all: () => lastValueFrom(source.pipe(toArray())) };
};

describe('a request that needs something first', () => {
  it('is made again with the answers, and the state as it was, until it is answered (MRTR-18, MRTR-20)', async () => {
    const { asked, drop, all } = following(answers, { result: needed({ requestState: 't' }) }, done);
    expect(await all()).toEqual([done]);
    const inputResponses = { key: { roots: [] } };
    expect(asked).toEqual([
      { inputResponses, requestState: 's' },
      { inputResponses, requestState: 't' },
    ]);
    expect(drop).not.toHaveBeenCalled();
  });

  it('lets go of what waits for the answer when its caller leaves before there is one', () => {
    const { drop, source, asked } = following(() => NEVER);
    const following$ = source.subscribe();
    expect(drop).not.toHaveBeenCalled();
    following$.unsubscribe();
    expect(drop).toHaveBeenCalledTimes(1);
    expect(asked).toEqual([]);
  });

  it('and not afterwards: then there is a request to cancel', () => {
    const made = new Subject<Emission>();
    const drop = vi.fn();
    const how = { method: 'tools/call', ask: () => made, answer: answers };
    const following$ = rounds(how, waiting(needed(), drop)).subscribe();
    expect(made.observed).toBe(true);
    following$.unsubscribe();
    expect([made.observed, drop.mock.calls.length]).toEqual([false, 0]);
  });

  it.each([
    ['cannot be answered', () => throwError(() => new Error('no')), 'no'],
    [
      'cannot be asked',
      () => {
        throw new Error('never');
      },
      'never',
    ],
  ] as const)('lets go where the question %s', async (_, answer, message) => {
    const { drop, all, asked } = following(answer);
    await expect(all()).rejects.toThrow(message);
    expect(drop).toHaveBeenCalledTimes(1);
    expect(asked).toEqual([]);
  });

  it('lets go where it is asked too often (MRTR-25)', async () => {
    const drop = vi.fn();
    const { asked, all } = following(answers, { result: waiting(needed(), drop) });
    await expect(all()).rejects.toBeInstanceOf(InvalidAnswer);
    expect(asked).toHaveLength(50);
    expect(drop).toHaveBeenCalledTimes(1);
  });

  it('carries nothing of that over a wire', () => {
    expect(JSON.parse(JSON.stringify(waiting(needed(), () => undefined)))).toEqual(needed());
  });
});
