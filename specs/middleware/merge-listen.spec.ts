import { concat, NEVER, of } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { mergeServers, type Emission, type Exchange, type JsonObject } from 'rxmcp';
import { ask, recording } from './ask.ts';
import { info, signature } from './house.ts';

/** What marbles stand for, when several are listened to as one. */
const told: Record<string, Emission> = {
  a: acknowledged({ toolsListChanged: true }),
  b: acknowledged({ promptsListChanged: true }),
  m: acknowledged({ toolsListChanged: true, promptsListChanged: true }),
  n: acknowledged({}),
  t: { method: 'notifications/tools/list_changed' },
  p: { method: 'notifications/prompts/list_changed' },
  r: { result: { resultType: 'complete' } },
};

function acknowledged(notifications: JsonObject): Emission {
  return { method: 'notifications/subscriptions/acknowledged', params: { notifications } };
}

/** Listens to parts that say this, each with when it is subscribed, and hears that. */
const listening = (parts: readonly (readonly [string, string])[], heard: string, until?: string): void => {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
    ({ cold, expectObservable, expectSubscriptions }) => {
      const far = parts.map(([marbles]) => cold(marbles, told));
      const named = Object.fromEntries(far.map((source, at) => [`p${at}`, (() => source) satisfies Exchange]));
      const request = { method: 'subscriptions/listen', params: { notifications: { toolsListChanged: true } } };
      expectObservable(mergeServers(info, named)(request, {}), until).toBe(heard, {
        ...told,
        r: { result: { resultType: 'complete', _meta: signature } },
      });
      for (const [at, [, subscribed]] of parts.entries())
        expectSubscriptions(far[at]?.subscriptions ?? []).toBe(subscribed);
    },
  );
};

describe('a subscription over all parts', () => {
  it('acknowledges once, for all of them, and then tells what any of them tells (SUB-02, SUB-03)', () => {
    listening(
      [
        ['-a--t---t-', '^---------!'],
        ['---b--p---', '^---------!'],
      ],
      '---mt-p-t-',
      '----------!',
    );
  });

  it('keeps what is told before the last has acknowledged until then, in order', () => {
    listening(
      [
        ['-at-t', '^--------------!'],
        ['---p-b-------p', '^--------------!'],
      ],
      '-----(mtpt)--p',
      '---------------!',
    );
  });

  it('says its acknowledgement once, though a part says its own twice', () => {
    listening(
      [
        ['-aa----a-t', '^----------!'],
        ['-----b----', '^----------!'],
      ],
      '-----m---t',
      '-----------!',
    );
  });

  it('goes on without a part that cannot listen, or ends before it has begun', () => {
    for (const end of ['#', '|'])
      listening(
        [
          ['-a-t', '^----!'],
          [`--${end}`, '^-!'],
        ],
        '--at',
        '-----!',
      );
  });

  it('goes on without a part that fails, or ends, later', () => {
    for (const end of ['#', '|'])
      listening(
        [
          ['-a------t', '^---------!'],
          [`--b-p${end}`, '^----!'],
        ],
        '--m-p---t',
        '----------!',
      );
    listening(
      [
        ['-a----t', '^-------!'],
        ['--b-(r|)', '^---!'],
      ],
      '--m---t',
      '--------!',
    );
  });

  it('ends with the last of them, in good order (SUB-13)', () => {
    listening(
      [
        ['-a--(r|)', '^---!'],
        ['-b-----(r|)', '^------!'],
      ],
      '-m-----(r|)',
    );
    listening(
      [
        ['--#', '^-!'],
        ['----#', '^---!'],
      ],
      '----(nr|)',
    );
  });

  it('reaches all of them when it is unsubscribed, acknowledged or not', () => {
    listening(
      [
        ['-a-t--t', '^---!'],
        ['-------', '^---!'],
      ],
      '-----',
      '----!',
    );
    listening(
      [
        ['a', '^---!'],
        ['b', '^---!'],
      ],
      'm----',
      '----!',
    );
  });

  it('acknowledges each URI once, and a flag that any of them honours', () => {
    const parts = [
      { toolsListChanged: true, resourceSubscriptions: ['a:1', 'a:2'] },
      { toolsListChanged: false, promptsListChanged: false },
      { resourceSubscriptions: ['a:2', 'a:3'] },
    ].map((notifications) => (() => concat(of(acknowledged(notifications)), NEVER)) satisfies Exchange);
    const { seen } = ask(mergeServers(info, Object.fromEntries(parts.entries())), 'subscriptions/listen', {
      notifications: {},
    });
    expect(seen).toMatchObject([
      {
        params: {
          notifications: {
            toolsListChanged: true,
            promptsListChanged: false,
            resourceSubscriptions: ['a:1', 'a:2', 'a:3'],
          },
        },
      },
    ]);
  });

  it('asks each of them the same, and reads no more into an acknowledgement than it says', () => {
    const { exchange, asked, contexts } = recording(() =>
      concat(of<Emission>({ method: 'notifications/subscriptions/acknowledged' }), NEVER),
    );
    const params = { notifications: { resourceSubscriptions: ['a:b'] }, _meta: { x: 1 } };
    const context = { principal: 'ada' };
    const { seen } = ask(mergeServers(info, { one: exchange, two: exchange }), 'subscriptions/listen', params, context);
    expect(seen).toEqual([told['n']]);
    expect(asked).toEqual(Array(2).fill({ method: 'subscriptions/listen', params }));
    expect(contexts).toEqual([context, context]);
  });
});
