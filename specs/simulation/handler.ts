/** A server whose tool follows the script that its caller sends along, and tells a ledger what it lives through. */
import { async as asynchronous, fail, succeed, sync } from 'effect/Effect';
import {
  BehaviorSubject,
  concat,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  NEVER,
  of,
  Subject,
  tap,
  throwError,
  timer,
  type Observable,
} from 'rxjs';
import {
  elicit,
  elicitUrl,
  listRoots,
  log,
  progress,
  resource,
  sample,
  serverWith,
  tool,
  tools,
  updates,
  type Answering,
  type Call,
  type Notice,
  type Question,
} from '../../lib/index.ts';
import type { Ledger } from '../../lib/testing/index.ts';
import type { Asked, HandlerWay, Script, Step } from './script.ts';

const said = { type: 'object', properties: { said: { type: 'string' } } } as const;

/** The message says how it is to be answered, and is what an answer repeats. */
const questionOf = ({ kind, manner }: Asked, key: string): Question<unknown> => {
  const message = `${key} ${manner}`;
  if (kind === 'form') return elicit(said, message);
  if (kind === 'url') return elicitUrl(`https://example.com/${key}`, message);
  return kind === 'sample' ? sample({ messages: message, maxTokens: 1 }) : listRoots();
};

/** Resolves when the source completes; lets go of it when the signal is aborted. */
const followed = (source: Observable<unknown>, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const following = source.subscribe({ error: reject, complete: resolve });
    const stop = (): void => {
      following.unsubscribe();
      reject(new Error('aborted'));
    };
    // What it says at once may be what it is stopped for.
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop);
  });

/** What a call's script makes of it: the answers that it was given, and what its steps gave. */
export interface Outcome {
  readonly id: string;
  readonly answers: Readonly<Record<string, unknown>>;
  readonly steps: Readonly<Record<string, unknown>>;
}

export const scripted = (ledger: Ledger) => {
  const names$ = new BehaviorSubject<readonly string[]>([]);
  const counter$ = new BehaviorSubject(0);
  const touched$ = new Subject<string>();
  /** Every time that a step was gone through to its end. */
  const ran: string[] = [];

  const play = (id: string, steps: readonly Step[], call: Call): Observable<Notice | string> => {
    const answers: Record<string, unknown> = {};
    const kept: Record<string, unknown> = {};
    const work = (key: string) => (): Observable<string> =>
      timer(5).pipe(
        map(() => `${key} gave ${ran.push(`${id} ${key}`)}`),
        ledger.watch('step'),
      );
    const act = (step: Step, at: number): Observable<Notice> => {
      const key = `${id}-${at}`;
      if (step.do === 'progress') return of(progress(at + 1, 9));
      if (step.do === 'log') return of(log('info', key));
      if (step.do === 'wait') return timer(10).pipe(ignoreElements());
      if (step.do === 'hang') return NEVER;
      if (step.do === 'fail') return throwError(() => new Error(`${id} fails`));
      if (step.do === 'ask')
        return defer(() => {
          const questions = step.questions.map((asked, index) => [`${key}-${index}`, asked] as const);
          const keyed = Object.fromEntries(questions.map(([name, asked]) => [name, questionOf(asked, name)]));
          Object.assign(answers, call.askAll(keyed));
          return EMPTY;
        });
      const given = defer(() => call.step(key, work(key))).pipe(tap((value) => (kept[key] = value)));
      if (step.do === 'step') return given.pipe(ignoreElements());
      return defer(() => {
        // Begun, and left to itself.
        void call.step(key, work(key));
        return EMPTY;
      });
    };
    return concat(
      ...steps.map(act),
      defer(() => of(JSON.stringify({ id, answers, steps: kept } satisfies Outcome))),
    );
  };

  const handled: Readonly<Record<HandlerWay, (id: string, steps: readonly Step[], call: Call) => unknown>> = {
    observable: (id, steps, call) => play(id, steps, call).pipe(ledger.watch('handler')),
    promise: async (id, steps, call) => {
      const release = ledger.acquire('handler');
      let last: unknown;
      const heard = tap((one: Notice | string) => {
        last = one;
        if (typeof one === 'string') return;
        if (one.method === 'notifications/progress') call.progress(Number(one.params['progress']), 9);
        else call.log('info', one.params['data']);
      });
      await followed(play(id, steps, call).pipe(heard), call.signal).finally(release);
      return last;
    },
    async *iterable(id, steps, call) {
      const release = ledger.acquire('handler');
      const notices: Notice[] = [];
      let last: unknown;
      const heard = tap((one: Notice | string) => {
        if (typeof one === 'string') last = one;
        else notices.push(one);
      });
      try {
        await followed(play(id, steps, call).pipe(heard), call.signal);
        yield* notices;
        return last;
      } finally {
        release();
      }
    },
    effect: (id, steps, call) =>
      asynchronous<unknown, unknown>((resume) => {
        let last: unknown;
        const playing = play(id, steps, call)
          .pipe(ledger.watch('handler'))
          .subscribe({
            next: (one) => (last = one),
            error: (error: unknown) => resume(fail(error)),
            complete: () => resume(succeed(last)),
          });
        return sync(() => playing.unsubscribe());
      }),
  };

  const input = { type: 'object', properties: { id: { type: 'string' }, script: { type: 'string' } } } as const;
  const server = serverWith(
    { coalesceMs: 5 },
    { name: 'scripted', version: '1.0.0' },
    tool('play', { input }, ({ id = '', script = '{}' }, call) => {
      const { way, steps } = JSON.parse(script) as Script;
      return handled[way](id, steps, call) as Answering<string>;
    }),
    tools(
      names$.pipe(
        ledger.watch('names$'),
        map((names) => names.map((name) => tool(name, {}, () => name))),
      ),
    ),
    resource('test://counter', { live: true }, () => counter$.pipe(ledger.watch('counter$'), map(String))),
    resource('test://touched', {}, () => from(['touched'])),
    updates(touched$.pipe(ledger.watch('touched$'))),
  );
  return { server, names$, counter$, touched$, ran };
};
