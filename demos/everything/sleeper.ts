/** A tool that takes its time, and one that tells what became of it: so that anybody can see that cancelling stops it. */
import { concat, map, of, tap, timer } from 'rxjs';
import { progress, Schema, tool } from 'rxmcp';

/** The longest that a timer can run, in milliseconds. */
const longestMs = 2 ** 31 - 1;

const Nap = Schema.Struct({ ms: Schema.Number.pipe(Schema.between(0, longestMs)) });

export const sleeper = () => {
  const stats = { active: 0, started: 0, completed: 0, aborted: 0 };
  const begun = (): void => {
    stats.active += 1;
    stats.started += 1;
  };
  const ended = (how: 'completed' | 'aborted') => (): void => {
    stats.active -= 1;
    stats[how] += 1;
  };
  return [
    tool('sleep', { description: 'Sleeps for some milliseconds.', input: Nap }, ({ ms }) =>
      concat(of(progress(0)), timer(ms).pipe(map(() => `slept ${ms}`))).pipe(
        tap({ subscribe: begun, complete: ended('completed'), unsubscribe: ended('aborted') }),
      ),
    ),
    tool('stats', { description: 'Counts the calls of sleep.' }, () => JSON.stringify(stats)),
  ] as const;
};
