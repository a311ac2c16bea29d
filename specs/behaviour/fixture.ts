/** The server that the behavioural suite drives: one of everything, with a ledger of what its handlers live through. */
import { addFinalizer, async as callback, die, fail, gen, never, scoped, sync, type Effect } from 'effect/Effect';
import { isInterrupted } from 'effect/Exit';
import { BehaviorSubject, concat, from, map, NEVER, of, Subject, throwError, timer } from 'rxjs';
import { RpcError } from '../../lib/frame/errors.ts';
import {
  elicit,
  elicitUrl,
  listRoots,
  log,
  progress,
  prompt,
  prompts,
  reply,
  resource,
  resources,
  resourceTemplate,
  sample,
  Schema,
  serverWith,
  tool,
  tools,
  updates,
  type Call,
  type ClientCapability,
} from '../../lib/index.ts';
import { createLedger, type Ledger } from '../../lib/testing/index.ts';

export const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'] as const;

/** The ways in which a handler may answer. */
export const ways = ['promise', 'iterable', 'observable', 'effect'] as const;
export type Way = (typeof ways)[number];

const secret = '/home/ada/.secrets/key.pem';
const failure = (): Error => new Error(`cannot open ${secret}`);

const icon = { src: 'https://example.com/icon.png', mimeType: 'image/png', sizes: ['48x48'] };
const meta = { 'example.com/made-by': 'hand' };
const annotations = { audience: ['user'], priority: 0.5, lastModified: '2026-07-28T00:00:00Z' } as const;
export const pixel = 'iVBORw0KGgo=';

/** What a handler may ask its caller for. */
export const kinds = ['form', 'url', 'sample', 'roots'] as const;
export type Kind = (typeof kinds)[number];

export const capabilities: readonly ClientCapability[] = [
  'elicitation.form',
  'elicitation.url',
  'sampling',
  'sampling.tools',
  'sampling.context',
  'roots',
];

const Person = Schema.Struct({ name: Schema.String, age: Schema.Number });
const person = elicit(Person, 'Who are you?');
const Sure = Schema.Struct({ sure: Schema.Boolean });

/** Asks for one thing, and says what came of it. */
const asking: Readonly<Record<Kind, (call: Call) => unknown>> = {
  form: (call) => call.ask('what', person),
  url: (call) => call.ask('what', elicitUrl('https://example.com/login?next=1', 'Please log in')),
  sample: (call) => call.ask('what', sample({ messages: 'How are you?', maxTokens: 10 })),
  roots: (call) => call.ask('what', listRoots()),
};

/** How long a burst of changes is gathered, in milliseconds. */
export const coalesceMs = 20;

export const fixture = (ledger: Ledger = createLedger()) => {
  const extraTools$ = new BehaviorSubject<readonly string[]>([]);
  const extraPrompts$ = new BehaviorSubject<readonly string[]>([]);
  const extraResources$ = new BehaviorSubject<readonly string[]>([]);
  const counter$ = new BehaviorSubject(0);
  const touched$ = new Subject<string>();
  const lists = { tools: extraTools$, prompts: extraPrompts$, resources: extraResources$ };

  /** Says that it works, then works until it is stopped. */
  const endless: Readonly<Record<Way, (name: string, signal: AbortSignal) => unknown>> = {
    promise: (name, signal) =>
      new Promise((_, reject) => {
        const release = ledger.acquire(name);
        signal.addEventListener('abort', () => {
          release();
          ledger.note(`${name} aborted`);
          reject(new Error('stopped'));
        });
      }),
    async *iterable(name: string, signal: AbortSignal) {
      const release = ledger.acquire(name);
      try {
        for (let step = 1; ; step += 1) {
          yield progress(step);
          await new Promise<void>((resolve) => {
            const timer = setTimeout(resolve, 5);
            signal.addEventListener('abort', () => {
              clearTimeout(timer);
              resolve();
            });
          });
        }
      } finally {
        release();
        ledger.note(`${name} returned`);
      }
    },
    observable: (name) => concat(of(progress(1)), NEVER).pipe(ledger.watch(name)),
    effect: (name) =>
      scoped(
        gen(function* () {
          const release = yield* sync(() => ledger.acquire(name));
          yield* addFinalizer((exit) =>
            sync(() => {
              release();
              ledger.note(`${name} ${isInterrupted(exit) ? 'interrupted' : exit._tag}`);
            }),
          );
          yield* never;
        }),
      ),
  };

  /** Counts to a number, one progress notice each, then answers. */
  const counting: Readonly<Record<Way, (to: number, say: (done: number, total: number) => void) => unknown>> = {
    promise: async (to, say) => {
      for (let done = 1; done <= to; done += 1) {
        say(done, to);
        await Promise.resolve();
      }
      return `counted to ${to}`;
    },
    async *iterable(to: number) {
      for (let done = 1; done <= to; done += 1) yield progress(done, to, `step ${done}`);
      return `counted to ${to}`;
    },
    observable: (to) =>
      concat(
        from(Array.from({ length: to }, (_, done) => progress(done + 1, to, `step ${done + 1}`))),
        of(`counted to ${to}`),
      ),
    effect: (to, say) =>
      sync(() => {
        for (let done = 1; done <= to; done += 1) say(done, to);
        return `counted to ${to}`;
      }),
  };

  const told = ({ name }: { readonly name: string }): string => `Hello, ${name}!`;
  const askingAs: Readonly<Record<Way, (call: Call) => unknown>> = {
    promise: async (call) => {
      await Promise.resolve();
      const who = call.ask('who', person);
      return who.action === 'accept' ? told(who.content) : who.action;
    },
    async *iterable(call: Call) {
      yield progress(1);
      const who = call.ask('who', person);
      yield progress(2);
      return who.action === 'accept' ? told(who.content) : who.action;
    },
    observable: (call) =>
      of(1).pipe(
        map(() => call.ask('who', person)),
        map((who) => (who.action === 'accept' ? told(who.content) : who.action)),
      ),
    effect: (call) =>
      sync(() => {
        const who = call.ask('who', person);
        return who.action === 'accept' ? told(who.content) : who.action;
      }),
  };

  const throwing: Readonly<Record<string, () => unknown>> = {
    sync: () => {
      throw failure();
    },
    promise: () => Promise.reject(failure()),
    async *iterable() {
      yield progress(1);
      throw failure();
    },
    observable: () => concat(of(progress(1)), throwError(failure)),
    effect: () => fail(failure()),
    defect: () => die(failure()),
    // What is thrown need not be an Error, and one that lies about its message must not hurt anybody.
    odd: () => Promise.reject(Object.assign(new Error(), { message: { not: 'a string' } })),
    nothing: () => throwError(() => undefined),
  };

  const Way = Schema.Literal(...ways);

  const server = serverWith(
    { pageSize: 7, coalesceMs, state: { keys: ['the key of the fixture, long enough'] } },
    {
      name: 'fixture',
      version: '1.2.3',
      title: 'The fixture',
      description: 'One of everything',
      websiteUrl: 'https://example.com',
      icons: [icon],
      instructions: 'Call echo.',
    },
    tool('echo', { description: 'Says it again', input: Schema.Struct({ text: Schema.String }) }, ({ text }) => text),
    tool('endless', { input: Schema.Struct({ way: Way, name: Schema.String }) }, ({ way, name }, call) => {
      ledger.note(`${name} began`);
      return endless[way](name, call.signal) as Promise<string>;
    }),
    tool(
      'count',
      { input: Schema.Struct({ way: Way, to: Schema.Number }) },
      ({ way, to }, call) =>
        counting[way](to, (done, total) => call.progress(done, total, `step ${done}`)) as Promise<string>,
    ),
    tool('stumble', {}, () => of(progress(2), progress(1), progress(2), progress(3), 'done')),
    tool(
      'answers',
      { input: Schema.Struct({ way: Schema.Literal('value', ...ways) }) },
      ({ way }): Effect<string> | Promise<string> | string => {
        const answer = `a ${way}`;
        if (way === 'value') return answer;
        if (way === 'promise') return Promise.resolve(answer);
        if (way === 'effect')
          return callback<string>((resume) => void queueMicrotask(() => resume(sync(() => answer))));
        // The checker need not know every way at once.
        return (way === 'observable' ? of('not the last', answer) : counted(answer)) as never;
      },
    ),
    tool('fails', { input: Schema.Struct({ how: Schema.String }) }, ({ how }) => throwing[how]?.() as Promise<string>),
    tool('refuses', {}, () => {
      throw new RpcError({ code: 4711, message: 'not today', data: { until: 'tomorrow' } });
    }),
    tool('kept', {}, async (_, call) => {
      ledger.signal('kept', call.signal);
      return 'answered';
    }),
    tool('logs', {}, (_, call) => {
      for (const level of levels) call.log(level, { at: level }, 'fixture');
      return 'logged';
    }),
    tool('measure', { output: Schema.Struct({ celsius: Schema.Number }) }, () => ({ celsius: 7 })),
    tool('rows', { output: Schema.Array(Schema.Number) }, () => [1, 2, 3]),
    tool(
      'lies',
      { output: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] } },
      () => ({ n: 'one' }) as never,
    ),
    tool('unsendable', {}, () => reply({ content: [], _meta: { 'example.com/big': 1n } })),
    tool(
      'decorated',
      {
        title: 'Decorated',
        description: 'With all that a tool may have',
        annotations: { title: 'Hinted', readOnlyHint: true },
        icons: [icon],
        meta,
        input: { type: 'object', properties: { a: { type: 'string' } }, anyOf: [{ required: ['a'] }, {}] },
      },
      () =>
        reply({
          content: [
            { type: 'text', text: 'words', annotations, _meta: meta },
            { type: 'image', data: pixel, mimeType: 'image/png' },
            { type: 'audio', data: pixel, mimeType: 'audio/wav' },
            { type: 'resource_link', uri: 'test://fixed', name: 'fixed', title: 'Fixed', icons: [icon] },
            { type: 'resource', resource: { uri: 'test://fixed', text: 'inside' } },
          ],
          structuredContent: { a: 1 },
          _meta: meta,
        }),
    ),
    tool('whoami', {}, (_, call) => ({ client: call.client, trace: call.trace, meta: call.meta })),
    tool(
      'change',
      {
        input: Schema.Struct({
          list: Schema.Literal('tools', 'prompts', 'resources'),
          names: Schema.Array(Schema.String),
        }),
      },
      ({ list, names }) => {
        // A burst: one emission for each name.
        for (let count = 0; count <= names.length; count += 1) lists[list].next(names.slice(0, count));
        return 'changed';
      },
    ),
    tool('touch', { input: Schema.Struct({ uri: Schema.String }) }, ({ uri }) => {
      touched$.next(uri);
      return 'touched';
    }),
    tool('tick', {}, () => {
      counter$.next(counter$.value + 1);
      return `${counter$.value}`;
    }),
    tool(
      'ask',
      { input: Schema.Struct({ kind: Schema.Literal(...kinds), name: Schema.String }) },
      ({ kind, name }, call) => {
        ledger.note(`${name} ran`);
        return { answer: asking[kind](call) };
      },
    ),
    // Asked in each of the ways of answering.
    tool('asks', { input: Schema.Struct({ way: Way }) }, ({ way }, call) => askingAs[way](call) as Promise<string>),
    // Several rounds, with work between that is not to be done twice.
    tool('interview', { input: Schema.Struct({ name: Schema.String }) }, async ({ name }, call) => {
      ledger.note(`${name} ran`);
      call.progress(1, 6);
      const ticket = await call.step('ticket', () => {
        ledger.note(`${name} stepped`);
        return { number: Math.random(), at: new Date(0) };
      });
      call.progress(2, 6);
      const who = call.ask('who', person);
      call.progress(3, 6);
      const sure = call.ask('sure', elicit(Sure, who.action === 'accept' ? `Sure, ${who.content.name}?` : 'Sure?'));
      call.progress(4, 6);
      const { roots, said } = call.askAll({ roots: listRoots(), said: sample({ messages: 'Hi', maxTokens: 5 }) });
      call.progress(5, 6);
      const again = await call.step('ticket', () => 'another');
      call.progress(6, 6);
      return { who, sure, roots, said: said.content, ticket, again };
    }),
    tool('can', {}, (_, call) => ({ can: capabilities.filter((one) => call.can(one)) })),
    // For the spec: what happens inside, over any wire.
    tool('recall', { input: Schema.Struct({ entry: Schema.String }) }, ({ entry }) =>
      ledger.noted(entry).then(() => entry),
    ),
    tool('entries', {}, () => ({ entries: ledger.entries })),
    tool('idle', { input: Schema.Struct({ name: Schema.String }) }, ({ name }) => ledger.idle(name).then(() => 'idle')),
    tool('live', {}, () => ledger.live),
    tool('after', { input: Schema.Struct({ ms: Schema.Number }) }, ({ ms }) =>
      timer(ms).pipe(
        ledger.watch('after'),
        map(() => 'late'),
      ),
    ),
    tools(
      extraTools$.pipe(
        ledger.watch('tools$'),
        map((names) => names.map((name) => tool(name, {}, () => name))),
      ),
    ),

    resource(
      'test://fixed',
      { title: 'Fixed', description: 'Text', mimeType: 'text/plain', size: 5, icons: [icon], meta, annotations },
      () => 'fixed',
    ),
    resource('test://bytes', { mimeType: 'image/png' }, () => new Uint8Array([137, 80, 78, 71])),
    resource('test://counter', { live: true }, () => counter$.pipe(ledger.watch('counter'), map(String))),
    resource('test://broken', {}, () => Promise.reject(failure())),
    resource('test://several', {}, () => [
      { uri: 'test://several/1', text: 'one' },
      { uri: 'test://several/2', blob: pixel },
    ]),
    resourceTemplate(
      'files://{host}/{+path}',
      {
        title: 'Files',
        icons: [icon],
        meta,
        complete: {
          host: (typed) => ['alpha', 'beta'].filter((host) => host.startsWith(typed)),
          path: (typed, { host }) => [`${host ?? 'nowhere'}/${typed}1`, `${host ?? 'nowhere'}/${typed}2`],
        },
      },
      ({ host, path }) => (host === 'gone' ? undefined : `${String(host)} has ${String(path)}`),
    ),
    resources(
      extraResources$.pipe(
        ledger.watch('resources$'),
        map((names) => names.map((name) => resource(`test://extra/${name}`, {}, () => name))),
      ),
    ),
    updates(touched$.pipe(ledger.watch('updates$'))),
    resource('test://asks', {}, (call) => {
      const who = call.ask('who', person);
      return who.action === 'accept' ? who.content.name : who.action;
    }),
    resourceTemplate(
      'ways://{promise}/{iterable}/{observable}/{effect}/{broken}/{endless}',
      {
        complete: {
          promise: (typed) => Promise.resolve([`${typed}!`]),
          async *iterable(typed: string) {
            yield [`${typed}!`];
          },
          observable: (typed) => of(['not the last'], [`${typed}!`]),
          effect: (typed) => sync(() => [`${typed}!`]),
          broken: () => Promise.reject(failure()),
          endless: (name) => concat(of(), NEVER).pipe(ledger.watch(name)),
        },
      },
      () => '',
    ),

    prompt(
      'review',
      {
        title: 'Review',
        icons: [icon],
        meta,
        arguments: {
          code: { title: 'Code', description: 'what to look at' },
          style: { required: false, complete: (typed, { code }) => [`${typed}:${code ?? ''}`] },
          many: { required: false, complete: () => Array.from({ length: 150 }, (_, index) => `v${index}`) },
        },
      },
      ({ code, style }) => ({
        description: 'A review',
        messages: [
          { role: 'user', content: { type: 'text', text: `${code} ${style ?? 'plain'}` } },
          { role: 'assistant', content: { type: 'audio', data: pixel, mimeType: 'audio/wav' } },
          { role: 'user', content: { type: 'resource_link', uri: 'test://fixed', name: 'fixed' } },
        ],
      }),
    ),
    prompt('broken', {}, () => Promise.reject(failure())),
    prompt('asks', {}, (_, call) => {
      const who = call.ask('who', person);
      return who.action === 'accept' ? who.content.name : who.action;
    }),
    prompts(
      extraPrompts$.pipe(
        ledger.watch('prompts$'),
        map((names) => names.map((name) => prompt(name, {}, () => name))),
      ),
    ),
  );
  return { server, ledger };
};

const counted = async function* (answer: string) {
  yield progress(1);
  yield log('info', 'half way');
  return answer;
};

export type FixtureServer = ReturnType<typeof fixture>['server'];
