/**
 * What a handler may ask its caller for: a form to fill in, a page to visit, an answer of the caller's model, its roots.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import type { Request } from '../exchange/exchange.ts';
import { Misconfigured } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { validator } from '../protocol/dated.ts';
import { ElicitResult } from '../protocol/elicitation.ts';
import type { ClientCapabilities } from '../protocol/peer.ts';
import { latestRevision } from '../protocol/revisions.ts';
import { ListRootsResult, rootProblem, type Root } from '../protocol/roots.ts';
import { balanceProblem, toolUseProblem } from '../protocol/sampling-balance.ts';
import { CreateMessageParams, CreateMessageResult } from '../protocol/sampling.ts';
import { form, type Form } from '../shape/form.ts';
import type { Args } from '../shape/infer.ts';
import type { Shape } from '../shape/shape.ts';

/** What an answer says, or what is wrong with it. */
export type Reading<A> = { readonly ok: true; readonly value: A } | { readonly ok: false; readonly problem: string };

/** Something to ask the caller, whose answer is an `A`; made by `elicit`, `elicitUrl`, `sample` and `listRoots`. */
export interface Question<A> {
  /** What the client must have declared, as it would declare it. */
  readonly needs: ClientCapabilities;
  /** The question in words that a client with these capabilities understands. */
  readonly request: (capabilities: ClientCapabilities) => Request;
  readonly read: (response: JsonObject) => Reading<A>;
}

/** What became of a form: what the user filled in, or that they would not. */
export type Elicited<T> =
  { readonly action: 'accept'; readonly content: T } | { readonly action: 'decline' } | { readonly action: 'cancel' };

/** Whether the user agreed to visit a page. Agreement does not mean that they have done there what they were to do. */
export interface Visited {
  readonly action: 'accept' | 'decline' | 'cancel';
}

const elicitationProblem = validator(ElicitResult, latestRevision);

/** Forms compiled already: a schema is written once, and asked many times. */
const forms = new WeakMap<object, Form>();

const formOf = (schema: Shape): Form => {
  const known = forms.get(schema);
  if (known !== undefined) return known;
  const made = form(schema, 'elicit');
  forms.set(schema, made);
  return made;
};

/**
 * Asks the user to fill in a form.
 *
 * @param schema - the form's fields: an Effect Schema, a Standard Schema or a JSON Schema of a flat object. Write it
 * outside of the handler: it is compiled when it is first seen
 * @param message - what the user is asked, in words
 * @returns a question for `call.ask`; its answer says `accept` with the content, decoded, or `decline`, or `cancel`
 * @throws {@link Misconfigured} where a form cannot ask for what the schema describes, or must not (ELI-23)
 * @example
 * const Name = Schema.Struct({ name: Schema.String });
 * tool('greet', {}, (_, call) => {
 *   const answer = call.ask('name', elicit(Name, 'What is your name?'));
 *   return answer.action === 'accept' ? `Hello, ${answer.content.name}!` : 'Hello, whoever you are!';
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#form-mode-elicitation-requests
 */
export const elicit = <const S extends Shape>(schema: S, message: string): Question<Elicited<Args<S>>> => {
  const { requestedSchema, decode } = formOf(schema);
  return {
    needs: { elicitation: { form: {} } },
    request: () => ({ method: 'elicitation/create', params: { mode: 'form', message, requestedSchema } }),
    read: (response) => {
      const problem = elicitationProblem(response);
      if (problem !== undefined) return { ok: false, problem };
      if (response['action'] !== 'accept')
        return { ok: true, value: { action: response['action'] === 'decline' ? 'decline' : 'cancel' } };
      const verdict = decode(response['content'] ?? {});
      if (verdict instanceof Promise)
        throw new Misconfigured({ message: 'elicit: the schema of a form must not take time to decide' });
      // What the decoder lets through is what the schema's type says.
      return verdict.ok ? { ok: true, value: { action: 'accept', content: verdict.value as Args<S> } } : verdict;
    },
  };
};

/**
 * Asks the user to visit a page: to log in there, to pay, to enter a secret; whatever must not pass through the client.
 *
 * @param url - absolute, `https:` outside of development; it holds nothing sensitive and opens no door by itself (ELI-32)
 * @param message - why, in words
 * @returns a question for `call.ask`; the answer says whether the user agreed, not whether they are done
 * @throws {@link Misconfigured} where the URL is none
 * @example
 * tool('connect', {}, (_, call) => {
 *   const { action } = call.ask('login', elicitUrl('https://example.com/connect', 'Please log in there'));
 *   return action === 'accept' ? 'Thank you' : 'Not connected';
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/elicitation#url-mode-elicitation-requests
 */
export const elicitUrl = (url: string, message: string): Question<Visited> => {
  const page = URL.canParse(url) ? new URL(url) : undefined;
  if (page === undefined || !/^https?:$/.test(page.protocol) || page.username !== '' || page.password !== '')
    throw new Misconfigured({
      message: `elicitUrl: ${JSON.stringify(url)} must be an absolute http or https URL without a user name or password`,
    });
  return {
    needs: { elicitation: { url: {} } },
    request: () => ({ method: 'elicitation/create', params: { mode: 'url', message, url } }),
    read: (response) => {
      const problem = elicitationProblem(response);
      // The schema of the result knows no other words.
      return problem === undefined
        ? { ok: true, value: { action: response['action'] as Visited['action'] } }
        : { ok: false, problem };
    },
  };
};

const samplingProblem = validator(CreateMessageResult, latestRevision);
const requestProblem = validator(CreateMessageParams, latestRevision);

/** What a model is asked: whole, or the text of one user message. */
export type SampleParams = Omit<CreateMessageParams, 'messages'> & {
  readonly messages: CreateMessageParams['messages'] | string;
};

/**
 * Asks the caller's model. Deprecated by the protocol since 2026-07-28: new servers call a provider themselves.
 *
 * @param params - the messages (a string is one message of the user), `maxTokens`, and what else `sampling/createMessage`
 * takes. `includeContext` is left out for clients that do not declare `sampling.context` (SAMP-06)
 * @returns a question for `call.ask`; its answer is the model's message. A user who refuses it fails the call
 * @throws {@link Misconfigured} where the messages break the rules of tool use (SAMP-13, SAMP-14)
 * @example
 * tool('summary', { input: Schema.Struct({ text: Schema.String }) }, ({ text }, call) => {
 *   const { content } = call.ask('summary', sample({ messages: `Summarise:\n${text}`, maxTokens: 200 }));
 *   return JSON.stringify(content);
 * });
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/sampling
 */
export const sample = (params: SampleParams): Question<CreateMessageResult> => {
  const { includeContext, ...rest } = params;
  const asked: JsonObject = {
    ...rest,
    messages:
      typeof params.messages === 'string'
        ? [{ role: 'user', content: { type: 'text', text: params.messages } }]
        : params.messages,
  };
  const problem = requestProblem(asked) ?? balanceProblem(asked['messages'] as readonly unknown[]);
  if (problem !== undefined) throw new Misconfigured({ message: `sample: ${problem}` });
  const withTools = params.tools !== undefined || params.toolChoice !== undefined;
  return {
    needs: { sampling: withTools ? { tools: {} } : {} },
    request: ({ sampling }) => ({
      method: 'sampling/createMessage',
      params: includeContext === undefined || sampling?.context === undefined ? asked : { ...asked, includeContext },
    }),
    read: (response) => {
      const wrong = samplingProblem(response) ?? toolUseProblem(response['content'], withTools);
      // Its shape has been checked.
      return wrong === undefined ? { ok: true, value: response as CreateMessageResult } : { ok: false, problem: wrong };
    },
  };
};

const rootsProblem = validator(ListRootsResult, latestRevision);

/**
 * Asks which directories the server may work in. Deprecated by the protocol since 2026-07-28: new servers take paths as
 * arguments, or are configured.
 *
 * @returns a question for `call.ask`; its answer is the list, empty where there is none
 * @example
 * tool('where', {}, (_, call) => call.ask('roots', listRoots()).map(({ uri }) => uri).join('\n'));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/client/roots
 */
export const listRoots = (): Question<readonly Root[]> => ({
  needs: { roots: {} },
  request: () => ({ method: 'roots/list' }),
  read: (response) => {
    const problem = rootsProblem(response) ?? strayRoot(response as ListRootsResult);
    return problem === undefined ? { ok: true, value: (response as ListRootsResult).roots } : { ok: false, problem };
  },
});

const strayRoot = ({ roots }: ListRootsResult): string | undefined => {
  for (const [index, { uri }] of roots.entries()) {
    const problem = rootProblem(uri);
    if (problem !== undefined) return `roots[${index}].uri ${problem}`;
  }
  return undefined;
};
