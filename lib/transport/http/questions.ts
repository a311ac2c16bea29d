/** What a server asks of a client of a session: each question goes on the stream of the request that made it necessary. */
import { Observable } from 'rxjs';
import type { Context, Exchange, Request } from '../../exchange/exchange.ts';
import { Multiplexer } from '../../exchange/multiplex.ts';
import { codes, RpcError } from '../../frame/errors.ts';
import { LegacyStream } from './legacy-stream.ts';

/** What the edge knows of a request, and where what is about it goes. */
export interface StreamContext extends Context {
  readonly stream: LegacyStream;
}

const streamOf = (context: Context): LegacyStream | undefined =>
  'stream' in context && context.stream instanceof LegacyStream ? context.stream : undefined;

export class Questions {
  readonly multiplexer = new Multiplexer((frame) => this.#on?.say(frame));
  readonly #otherwise: () => LegacyStream | undefined;
  /** Where what is sent now goes. */
  #on: LegacyStream | undefined;

  /** @param otherwise - where a question goes whose own stream cannot be reached any more */
  constructor(otherwise: () => LegacyStream | undefined) {
    this.#otherwise = otherwise;
  }

  ask(request: Request, context: Context): ReturnType<Exchange> {
    return new Observable((subscriber) => {
      const own = streamOf(context);
      const stream = own?.reachable === true ? own : this.#otherwise();
      // A question that nobody gets would never be answered.
      if (stream === undefined)
        return subscriber.error(
          new RpcError({
            code: codes.internalError,
            message: `${request.method}: the client is not there to be asked`,
          }),
        );
      this.#on = stream;
      // An observer of its own: the subscriber's would be torn down before anybody has said where to.
      const asking = this.multiplexer.exchange(request, context).subscribe({
        next: (emission) => subscriber.next(emission),
        error: (error: unknown) => subscriber.error(error),
        complete: () => subscriber.complete(),
      });
      this.#on = undefined;
      return () => {
        this.#on = stream.reachable ? stream : this.#otherwise();
        asking.unsubscribe();
        this.#on = undefined;
      };
    });
  }
}
