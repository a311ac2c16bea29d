/**
 * What a client answers by itself: an exchange of its own, for what servers ask of it. What it declares follows from what
 * it can answer.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation
 */
import { isObservable, map, Observable, of, shareReplay, skip, take, throwError, throwIfEmpty } from 'rxjs';
import { deliver, type Answering } from '../exchange/bridge.ts';
import type { Emission, Exchange, Notification, Request } from '../exchange/exchange.ts';
import { invalidParams, methodNotFound, Misconfigured, quoted, Refused } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { validator } from '../protocol/dated.ts';
import { ElicitFormParams, ElicitUrlParams, type FormAnswer, type RequestedSchema } from '../protocol/elicitation.ts';
import type { ClientCapabilities, Implementation } from '../protocol/peer.ts';
import { latestRevision } from '../protocol/revisions.ts';
import { rootProblem, type Root } from '../protocol/roots.ts';
import { CreateMessageParams, CreateMessageResult } from '../protocol/sampling.ts';
import type { Schema } from '../protocol/schema.ts';
import { toolUseProblem } from '../protocol/sampling-balance.ts';
import { defaultsOf, filledIn } from '../shape/form-answer.ts';

/** A form to be shown to a user. */
export interface FormQuestion {
  readonly message: string;
  readonly schema: RequestedSchema;
  /** What the fields begin with (ELI-10). Fields left out of an answer get them too. */
  readonly defaults: Readonly<Record<string, FormAnswer>>;
  /** What is wrong with these contents; undefined where nothing is. */
  readonly problem: (content: Readonly<Record<string, unknown>>) => string | undefined;
}

/** A page to be visited, if the user agrees; nobody else may open it, or look at it (ELI-34). */
export interface UrlQuestion {
  readonly message: string;
  /** To be shown whole (ELI-35). */
  readonly url: string;
  /** The host that it leads to, as it is written in the domain name system: `xn--…` names may look like others. */
  readonly host: string;
}

/** What a user made of a form. A field that is `undefined` was emptied: not even its default is sent. */
export type FormAnswered =
  | { readonly action: 'accept'; readonly content?: Readonly<Record<string, FormAnswer | undefined>> }
  | { readonly action: 'decline' }
  | { readonly action: 'cancel' };

/** What a user made of being sent to a page: `accept` says that they agreed to go there. */
export interface UrlAnswered {
  readonly action: 'accept' | 'decline' | 'cancel';
}

/** Who asks. */
export interface Asker {
  /** The server, in its own words; to be shown with every question (ELI-25). */
  readonly server: Implementation | undefined;
  /** Aborted when the question is withdrawn. */
  readonly signal: AbortSignal;
}

/**
 * What a client answers when its servers ask, in any of the ways of answering. What is given here is declared to them, and
 * nothing else. Throwing {@link Refused} declines.
 */
export interface Answers {
  /** Shows a form to the user. */
  readonly form?: (question: FormQuestion, asker: Asker) => Answering<FormAnswered>;
  /** Sends the user to a page. */
  readonly url?: (question: UrlQuestion, asker: Asker) => Answering<UrlAnswered>;
  /** Asks the user's model, once the user agrees. */
  readonly sample?: (params: CreateMessageParams, asker: Asker) => Answering<CreateMessageResult>;
  /** What `sample` can do besides: call `tools`, include the `context` of servers. Default: neither. */
  readonly sampling?: { readonly tools?: boolean; readonly context?: boolean };
  /** The directories that servers may work in, all `file://` URIs; of an Observable, changes are told where a revision can. */
  readonly roots?: readonly Root[] | Observable<readonly Root[]>;
}

/** The client's own side of the conversation. */
export interface Local {
  readonly exchange: Exchange;
  /** What every request declares. */
  readonly capabilities: ClientCapabilities;
  /** What a handshake declares besides. */
  readonly handshake: JsonObject;
  /** What a client tells of its own accord, where a revision lets it. */
  readonly notices$: Observable<Notification>;
  /** To be subscribed while there is a connection: what it is asked for is then at hand. */
  readonly held$: Observable<unknown>;
}

/** @param server - whom the answers are for, once that is known */
export const localSide = (answers: Answers, server: () => Implementation | undefined): Local => {
  const { form, url, sample, sampling = {}, roots } = answers;
  const roots$ = isObservable(roots) ? roots.pipe(shareReplay({ bufferSize: 1, refCount: true })) : of(roots ?? []);

  const elicitation = (params: JsonObject): Observable<Emission> => {
    const method = 'elicitation/create';
    if (params['mode'] !== 'url')
      return form === undefined
        ? throwError(() => methodNotFound(method))
        : asked(form, formQuestion(fitting(ElicitFormParams, params, method)), server, filledOut, declined);
    const question = urlQuestion(fitting(ElicitUrlParams, params, method));
    if (url === undefined) return throwError(() => methodNotFound(method));
    return asked(url, question, server, visited, declined);
  };

  const handlers: Readonly<Record<string, (params: JsonObject) => Observable<Emission>>> = {
    ...(form === undefined && url === undefined ? undefined : { 'elicitation/create': elicitation }),
    ...(sample === undefined
      ? undefined
      : {
          'sampling/createMessage': (params: JsonObject) =>
            asked(sample, fitting(CreateMessageParams, params, 'sampling/createMessage'), server, sampled),
        }),
    ...(roots === undefined
      ? undefined
      : {
          'roots/list': () =>
            roots$.pipe(
              take(1),
              throwIfEmpty(() => new Misconfigured({ message: 'roots: they ended before there were any' })),
              map((list) => ({ result: { roots: list.map(rooted) } })),
            ),
        }),
  };

  return {
    exchange: ({ method, params = {} }: Request) => {
      const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
      if (handler === undefined) return throwError(() => methodNotFound(method));
      try {
        return handler(params);
      } catch (error) {
        return throwError(() => error);
      }
    },
    capabilities: {
      ...(form === undefined && url === undefined
        ? undefined
        : {
            elicitation: {
              ...(form === undefined ? undefined : { form: {} }),
              ...(url === undefined ? undefined : { url: {} }),
            },
          }),
      ...(sample === undefined
        ? undefined
        : {
            sampling: {
              ...(sampling.tools === true ? { tools: {} } : undefined),
              ...(sampling.context === true ? { context: {} } : undefined),
            },
          }),
      ...(roots === undefined ? undefined : { roots: {} }),
    },
    handshake: isObservable(roots) ? { roots: { listChanged: true } } : {},
    held$: roots$,
    notices$: isObservable(roots)
      ? roots$.pipe(
          skip(1),
          map(() => ({ method: 'notifications/roots/list_changed' })),
        )
      : of(),
  };
};

/** @throws RpcError -32602 where they are not what they should be */
const fitting = <A>(schema: Schema.Schema<A>, params: JsonObject, method: string): A => {
  const fits = (given: unknown): given is A => validator(schema, latestRevision)(given) === undefined;
  if (fits(params)) return params;
  throw invalidParams(`${method}: ${validator(schema, latestRevision)(params)}`);
};

/** Asks a handler; unsubscribing withdraws the question. */
const asked = <Q, A>(
  handle: (question: Q, asker: Asker) => Answering<A>,
  question: Q,
  server: () => Implementation | undefined,
  finish: (answer: A, question: Q) => JsonObject,
  refused?: JsonObject,
): Observable<Emission> =>
  new Observable((subscriber) => {
    const withdrawn = new AbortController();
    // What was answered, or has failed, is not withdrawn.
    let over = false;
    const answer = (result: JsonObject): void => {
      over = true;
      subscriber.next({ result });
      subscriber.complete();
    };
    const failed = (error: unknown): void => {
      if (error instanceof Refused && refused !== undefined) return answer(refused);
      over = true;
      subscriber.error(error);
    };
    let stop: (() => void) | undefined;
    try {
      stop = deliver(handle(question, { server: server(), signal: withdrawn.signal }), {
        notice: (notice) => subscriber.next(notice),
        value: (value) => {
          let result: JsonObject;
          try {
            // What the handler's type says that it answers.
            result = finish(value as A, question);
          } catch (error) {
            return failed(error);
          }
          answer(result);
        },
        error: failed,
      });
    } catch (error) {
      failed(error);
    }
    return () => {
      if (!over) withdrawn.abort();
      stop?.();
    };
  });

const declined: JsonObject = { action: 'decline' };

const formQuestion = ({ message, requestedSchema }: ElicitFormParams): FormQuestion => ({
  message,
  schema: requestedSchema,
  defaults: defaultsOf(requestedSchema),
  problem: (content) => {
    const filled = filledIn(requestedSchema, content);
    return filled.ok ? undefined : filled.problem;
  },
});

/** Pages are visited in a browser: whatever else a URL may do there, nobody has asked for it. */
const urlQuestion = ({ message, url }: ElicitUrlParams): UrlQuestion => {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol))
    throw invalidParams(`elicitation/create: url must be an absolute http or https URL, got ${quoted(url)}`);
  // As a browser reads it: white space in what was sent could make it look like another.
  return { message, url: parsed.href, host: parsed.host };
};

/** What a handler's type says that it answers, a program without types may not. */
const mustBeAction = (answer: unknown, what: string): void => {
  if (!isObject(answer) || !['accept', 'decline', 'cancel'].includes(String(answer['action'])))
    throw new Misconfigured({ message: `the answer to ${what} must say action: 'accept', 'decline' or 'cancel'` });
};

const visited = (answer: UrlAnswered): JsonObject => {
  mustBeAction(answer, 'a page');
  return { action: answer.action };
};

const filledOut = (answer: FormAnswered, { schema }: FormQuestion): JsonObject => {
  mustBeAction(answer, 'a form');
  if (answer.action !== 'accept') return { action: answer.action };
  const filled = filledIn(schema, { ...answer.content });
  if (!filled.ok) throw new Misconfigured({ message: `the answer to a form does not fit it: ${filled.problem}` });
  return { action: 'accept', content: filled.content };
};

const samplingProblem = validator(CreateMessageResult, latestRevision);

const sampled = (answer: CreateMessageResult, { tools, toolChoice }: CreateMessageParams): JsonObject => {
  const problem =
    samplingProblem(answer) ?? toolUseProblem(answer.content, tools !== undefined || toolChoice !== undefined);
  if (problem !== undefined) throw new Misconfigured({ message: `the answer to sampling/createMessage: ${problem}` });
  return { ...answer };
};

const rooted = (root: Root): Root => {
  const problem = rootProblem(root.uri);
  if (problem !== undefined) throw new Misconfigured({ message: `roots: ${quoted(root.uri)} ${problem}` });
  return root;
};
