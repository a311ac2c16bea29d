/** What the server has done so far, for the `stats` tool: the only state of this demo besides the folder itself. */
import { Schema } from 'rxmcp';

const Count = Schema.Int.pipe(Schema.nonNegative());

export const Stats = Schema.Struct({
  filesKnown: Count,
  /** Files that were opened to be read, by reads, tails and searches. */
  filesRead: Count,
  searchesStarted: Count,
  searchesFinished: Count,
  searchesCancelled: Count,
  watchersOpen: Count,
});

type Counted = Exclude<keyof typeof Stats.Type, 'filesKnown'>;

export interface Ledger {
  readonly count: (what: Counted, by?: 1 | -1) => void;
  readonly counts: () => Readonly<Record<Counted, number>>;
}

export const ledger = (): Ledger => {
  const counts: Record<Counted, number> = {
    filesRead: 0,
    searchesStarted: 0,
    searchesFinished: 0,
    searchesCancelled: 0,
    watchersOpen: 0,
  };
  return {
    count: (what, by = 1) => {
      counts[what] += by;
    },
    counts: () => ({ ...counts }),
  };
};
