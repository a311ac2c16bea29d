/**
 * A shelf holds the offers of one kind: fixed ones, and lists that come and go. While somebody holds it the current list
 * is at hand; without, each look subscribes to the lists and waits for their first emission.
 */
import {
  combineLatest,
  defer,
  finalize,
  map,
  of,
  shareReplay,
  skip,
  switchMap,
  take,
  tap,
  type Observable,
} from 'rxjs';
import { Misconfigured } from '../frame/errors.ts';
import type { Listing, Offer } from './feature.ts';

/** An offer's place: its name or URI. */
export type KeyOf<O> = (offer: O) => string;

/** The offers of one moment. */
export interface Stock<O> {
  readonly all: readonly O[];
  readonly byKey: ReadonlyMap<string, O>;
}

export interface Shelf<O> {
  /** Whether the list can change at all. */
  readonly changing: boolean;
  /** Looks at the current list: at once where it is at hand. */
  look<R>(use: (stock: Stock<O>) => Observable<R>): Observable<R>;
  /** Emits once for each change; holds the shelf while subscribed. */
  readonly changes$: Observable<unknown>;
}

/**
 * @param kind - for error messages: `tool`
 * @throws {@link Misconfigured} where two fixed offers have one key
 */
export const shelf = <O extends Offer>(
  kind: string,
  key: KeyOf<O>,
  fixed: readonly O[],
  listings: readonly Listing<O>[],
): Shelf<O> => {
  const stocked = (offers: readonly O[]): Stock<O> => {
    const byKey = new Map<string, O>();
    for (const offer of offers) {
      // Names are unique within a server (NAME-05): serving either of two at random would be worse than failing.
      if (byKey.has(key(offer)))
        throw new Misconfigured({ message: `there are two ${kind}s ${JSON.stringify(key(offer))}` });
      byKey.set(key(offer), offer);
    }
    return { all: offers, byKey };
  };
  const start = stocked(fixed);
  if (listings.length === 0) return { changing: false, look: (use) => use(start), changes$: of() };

  let current: Stock<O> | undefined;
  const stock$ = defer(() => combineLatest(listings.map(({ list$ }) => list$))).pipe(
    map((lists) => stocked([...fixed, ...lists.flat()])),
    tap((stock) => (current = stock)),
    finalize(() => (current = undefined)),
    shareReplay({ bufferSize: 1, refCount: true }),
  );
  return {
    changing: true,
    look: (use) => defer(() => (current === undefined ? stock$.pipe(take(1), switchMap(use)) : use(current))),
    changes$: stock$.pipe(skip(1)),
  };
};
