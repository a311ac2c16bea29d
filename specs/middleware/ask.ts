/** Asks exchanges as middleware does: without a door, an envelope or a wire. */
import type { Context, Emission, Exchange, JsonObject, Request } from 'rxmcp';
import { of, type Observable } from 'rxjs';

/** What it emits, what it fails with, and `complete`, in order. */
export const ask = (exchange: Exchange, method: string, params?: JsonObject, context: Context = {}) => {
  const seen: unknown[] = [];
  const subscription = exchange(params === undefined ? { method } : { method, params }, context).subscribe({
    next: (emission) => seen.push(emission),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return { seen, stop: () => subscription.unsubscribe() };
};

/** The one result of what answers at once; whatever else it says is thrown. */
export const resultOf = (...asked: Parameters<typeof ask>): JsonObject => {
  const { seen } = ask(...asked);
  const [answer, end] = seen as unknown as readonly [{ readonly result: JsonObject }, unknown];
  if (seen.length !== 2 || end !== 'complete') throw new Error(`no plain answer: ${JSON.stringify(seen)}`);
  return answer.result;
};

/** The names on a list. */
export const namesOf = (list: unknown): readonly unknown[] =>
  (list as readonly { readonly name: unknown }[]).map(({ name }) => name);

/** An exchange that writes down what it is asked. */
export const recording = (answer: (request: Request) => Observable<Emission> = () => of({ result: {} })) => {
  const asked: Request[] = [];
  const contexts: Context[] = [];
  const exchange: Exchange = (request, context) => {
    asked.push(request);
    contexts.push(context);
    return answer(request);
  };
  return { exchange, asked, contexts };
};
