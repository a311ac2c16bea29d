/** What every store of tokens does. */
import { filter, Subject, type Observable, type Subscription } from 'rxjs';
import type { TokenStore } from 'rxmcp/auth';
import { afterEach, describe, expect, it } from 'vitest';

export interface StoreUnderTest {
  readonly store: TokenStore;
  /** The same tokens through another one, where they outlive theirs. */
  readonly again?: TokenStore | undefined;
}

/** Holds a lock, or waits for it. */
export const locking = (lock$: Observable<'waiting' | 'held'>) => {
  const states: string[] = [];
  const log: { error?: unknown; completed: boolean } = { completed: false };
  const heard = new Subject<void>();
  const subscription = lock$.subscribe({
    next: (state) => {
      states.push(state);
      heard.next();
    },
    error: (error: unknown) => {
      log.error = error;
      heard.next();
    },
    complete: () => (log.completed = true),
  });
  /** Resolves once this has been heard. */
  const until = (state: 'waiting' | 'held' | 'error'): Promise<void> => {
    const holds = (): boolean => (state === 'error' ? 'error' in log : states.includes(state));
    return new Promise((resolve) => {
      if (holds()) return resolve();
      heard.pipe(filter(holds)).subscribe(() => resolve());
    });
  };
  return { states, log, until, subscription };
};

export const tokenStoreContract = (name: string, make: () => Promise<StoreUnderTest>): void => {
  describe(name, () => {
    const open: Subscription[] = [];
    afterEach(() => {
      for (const subscription of open.splice(0)) subscription.unsubscribe();
    });
    const held = (store: TokenStore, key: string) => {
      const lock = locking(store.lock(key));
      open.push(lock.subscription);
      return lock;
    };

    it('keeps what it was given, under its key, until something else is there', async () => {
      const { store } = await make();
      expect(await store.get('a')).toBeUndefined();
      await store.set('a', { token: 't1', scopes: ['x', 'y'], nested: { deep: [1, null, 'é🙂\u2028'] } });
      await store.set('b', {});
      expect(await store.get('a')).toEqual({
        token: 't1',
        scopes: ['x', 'y'],
        nested: { deep: [1, null, 'é🙂\u2028'] },
      });
      expect(await store.get('b')).toEqual({});
      await store.set('a', { token: 't2' });
      expect(await store.get('a')).toEqual({ token: 't2' });
      await store.set('a', undefined);
      expect(await store.get('a')).toBeUndefined();
      expect(await store.get('b')).toEqual({});
      await store.set('gone', undefined);
      expect(await store.get('gone')).toBeUndefined();
    });

    it.each(['', '__proto__', 'constructor', 'toString', 'https://login.example/?a=b#c', '../x', 'é'.repeat(100)])(
      'takes %j for a key like any other',
      async (key) => {
        const { store, again = store } = await make();
        expect(await store.get(key)).toBeUndefined();
        await store.set(key, { token: 't' });
        expect(await again.get(key)).toEqual({ token: 't' });
        expect(await again.get('other')).toBeUndefined();
        const lock = held(store, key);
        await lock.until('held');
        await store.set(key, undefined);
        expect(await again.get(key)).toBeUndefined();
      },
    );

    it('loses nothing of what is written at the same time', async () => {
      const { store, again = store } = await make();
      const keys = Array.from({ length: 20 }, (_, index) => `k${index}`);
      await Promise.all(keys.map((key, index) => (index % 2 === 0 ? store : again).set(key, { key })));
      expect(await Promise.all(keys.map((key) => store.get(key)))).toEqual(keys.map((key) => ({ key })));
    });

    it('gives a key to one at a time, in the order that they asked in', async () => {
      const { store } = await make();
      const order: number[] = [];
      const locks = [0, 1, 2, 3, 4].map((index) => {
        const lock = held(store, 'a');
        void lock.until('held').then(() => order.push(index));
        return lock;
      });
      for (const [index, lock] of locks.entries()) {
        await lock.until('held');
        expect(order).toEqual([0, 1, 2, 3, 4].slice(0, index + 1));
        lock.subscription.unsubscribe();
      }
      expect(locks.map(({ states }) => states)).toEqual([
        ['held'],
        ...Array.from({ length: 4 }, () => ['waiting', 'held']),
      ]);
      expect(locks.map(({ log }) => log)).toEqual(locks.map(() => ({ completed: false })));
    });

    it('gives another key to somebody else', async () => {
      const { store } = await make();
      await held(store, 'a').until('held');
      const other = held(store, 'b');
      await other.until('held');
      expect(other.states).toEqual(['held']);
    });

    it('passes over those who have given up waiting', async () => {
      const { store } = await make();
      const [first, second, third] = [held(store, 'a'), held(store, 'a'), held(store, 'a')];
      await first.until('held');
      await second.until('waiting');
      second.subscription.unsubscribe();
      first.subscription.unsubscribe();
      await third.until('held');
      expect(second.states).toEqual(['waiting']);
    });

    it('keeps what whoever holds a lock writes, and lets others read meanwhile', async () => {
      const { store, again = store } = await make();
      await held(store, 'a').until('held');
      await store.set('a', { token: 't' });
      await again.set('b', { token: 'u' });
      expect(await again.get('a')).toEqual({ token: 't' });
      expect(await store.get('b')).toEqual({ token: 'u' });
    });

    it('gives a key back although it was given up before it was had', async () => {
      const { store } = await make();
      held(store, 'a').subscription.unsubscribe();
      await held(store, 'a').until('held');
    });

    it('gives a key to one at a time through whichever store', async () => {
      const { store, again = store } = await make();
      const first = held(store, 'a');
      await first.until('held');
      const second = held(again, 'a');
      await second.until('waiting');
      expect(second.states).toEqual(['waiting']);
      first.subscription.unsubscribe();
      await second.until('held');
      const third = held(store, 'a');
      await third.until('waiting');
      second.subscription.unsubscribe();
      await third.until('held');
    });
  });
};
