/** What is still on its way and nobody waits for, as the end of a session is: a program that goes on to end must not cut it off. */
import type { Wire } from './wire.ts';

export class LastWords {
  #count = 0;
  readonly #waiting: (() => void)[] = [];

  /** The same way out; what goes over it counts until it has been answered, or is given up. */
  over(carry: Wire['carry']): Wire['carry'] {
    return (call, sink) => {
      let underway = true;
      const done = (): void => {
        if (!underway) return;
        underway = false;
        this.#count -= 1;
        if (this.#count === 0) for (const tell of this.#waiting.splice(0)) tell();
      };
      this.#count += 1;
      const giveUp = carry(call, {
        head: (status, header) => sink.head(status, header),
        text: (part) => sink.text(part),
        end: () => {
          sink.end();
          done();
        },
        failed: (error) => {
          sink.failed(error);
          done();
        },
      });
      return () => {
        giveUp();
        done();
      };
    };
  }

  /** Resolves when nothing is on its way. */
  said(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
