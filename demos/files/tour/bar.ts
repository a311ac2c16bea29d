/** Progress of a call for people to see: a live bar at a terminal, a line now and then elsewhere. */
import { SingleBar } from 'cli-progress';
import { defer, finalize, tap, type MonoTypeOperatorFunction } from 'rxjs';
import type { CallEvent } from 'rxmcp';
import { say } from '../../story/tell.ts';

interface Display {
  show(progress: number, total: number, message: string): void;
  end(): void;
}

const bar = (): Display => {
  const live = new SingleBar({
    format: '   {bar} {percentage}%  {message}',
    barsize: 30,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    hideCursor: true,
    stream: process.stdout,
    fps: 30,
  });
  live.start(1, 0, { message: '' });
  return {
    show: (progress, total, message) => {
      live.setTotal(total);
      live.update(progress, { message });
    },
    end: () => live.stop(),
  };
};

/** A line for each quarter. */
const lines = (): Display => {
  let next = 0.25;
  return {
    show: (progress, total, message) => {
      if (progress / total < next) return;
      next = Math.floor((progress / total) * 4) / 4 + 0.25;
      say(message);
    },
    end: () => undefined,
  };
};

/** Shows the progress of a call while it passes. */
export const shown =
  <R>(): MonoTypeOperatorFunction<CallEvent<R>> =>
  (events) =>
    defer(() => {
      const display = process.stdout.isTTY ? bar() : lines();
      return events.pipe(
        tap((event) => {
          if (event.kind === 'progress')
            display.show(event.progress, event.total ?? event.progress, event.message ?? '');
        }),
        finalize(() => display.end()),
      );
    });
