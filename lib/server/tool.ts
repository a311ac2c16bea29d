/**
 * A tool: something that a model may have done.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools
 */
import type { Answering } from '../exchange/bridge.ts';
import { Misconfigured, RpcError } from '../frame/errors.ts';
import { isArray, isObject, type JsonObject } from '../frame/frame.ts';
import type { ContentBlock } from '../protocol/content.ts';
import { headerPlan, type Mirrored } from '../protocol/header-annotation.ts';
import type { Tool, ToolAnnotations } from '../protocol/tool.ts';
import type { Args, Output, Sent, Wire } from '../shape/infer.ts';
import { compile, noParameters, type CompiledShape, type Shape, type Verdict } from '../shape/shape.ts';
import { blunder } from './blunder.ts';
import type { Call } from './call.ts';
import { presented, type Presentation } from './feature.ts';
import { isReply, type Reply } from './reply.ts';
import type { Fresh, Work } from './run.ts';

/** How a tool presents itself, what it takes and what it gives. */
export interface ToolOptions<I extends Shape, O extends Shape> extends Presentation {
  /** What the tool takes: an object. Default: nothing. */
  readonly input?: I;
  /** What the tool gives as structured content. Default: whatever the handler returns. */
  readonly output?: O;
  /** Hints for clients; not promises. */
  readonly annotations?: ToolAnnotations;
}

/** What a handler without an output schema may answer with: text, content, or any JSON. */
export type Content =
  string | ContentBlock | readonly ContentBlock[] | Reply | JsonObject | number | boolean | null | undefined | void;

/** A tool of a server, with the types that a client may know of it. */
export interface ToolFeature<N extends string = string, A = never, W = unknown> {
  readonly kind: 'tool';
  readonly name: N;
  /** As it is listed. */
  readonly definition: Tool;
  readonly decode: CompiledShape['decode'];
  /** The arguments that HTTP headers repeat, where there are any. */
  readonly mirrored?: readonly Mirrored[];
  readonly work: Work<unknown>;
  /** For the type checker: what it takes and gives, as a client sees it. */
  readonly types?: (args: A) => W;
}

/**
 * Offers a tool: something that a model may have done.
 *
 * Arguments that do not fit the input schema never reach the handler: the caller gets a result with `isError` that
 * names the field (AMB-06). Whatever the handler throws becomes such a result too, without stack or path; a thrown
 * {@link RpcError} becomes that JSON-RPC error.
 *
 * What stands between a client and a server sees an argument as an HTTP header where its JSON Schema names one, as
 * `x-mcp-header`; a call over HTTP whose header says something else is refused. Never name one for a secret.
 *
 * @param name - unique in its server; 1 to 128 of `A-Z a-z 0-9 _ - .` (NAME-01)
 * @param options - its description, `input` and `output`: an Effect Schema, a Standard Schema or a JSON Schema
 * @param handler - gets the decoded arguments and the {@link Call}; returns a value, Promise, async iterable,
 * Observable or Effect, saying `progress(…)` and `log(…)` on the way. The last value is the answer
 * @throws {@link Misconfigured} where the name, a schema or an `x-mcp-header` in it cannot work
 * @example
 * tool('add', { input: Schema.Struct({ a: Schema.Number, b: Schema.Number }) }, ({ a, b }) => `${a + b}`);
 * @example
 * // A stream: progress on the way, then the answer.
 * tool('count', { description: 'Counts to three' }, () =>
 *   concat(
 *     interval(1000).pipe(take(3), map((step) => progress(step + 1, 3))),
 *     of('three'),
 *   ),
 * );
 * @example
 * // A gateway can route by the header Mcp-Param-Region.
 * const region = Schema.String.annotations({ jsonSchema: { type: 'string', 'x-mcp-header': 'Region' } });
 * tool('deploy', { input: Schema.Struct({ region }) }, (args) => `deployed to ${args.region}`);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools
 */
export const tool = <
  const N extends string,
  const I extends Shape = Record<never, never>,
  const O extends Shape = never,
>(
  name: N,
  options: ToolOptions<I, O>,
  // What a handler returns is held against its output, not the other way round.
  handler: (
    args: Args<I>,
    call: Call,
  ) => Answering<[NoInfer<O>] extends [never] ? Content : Output<NoInfer<O>> | Reply>,
): ToolFeature<N, Sent<I>, [O] extends [never] ? unknown : Wire<O>> => {
  const where = `tool ${JSON.stringify(name)}`;
  if (!toolName.test(name))
    throw new Misconfigured({ message: `${where}: a name has 1 to 128 characters out of A-Z a-z 0-9 _ - .` });
  const input = options.input === undefined ? noParameters : compile(options.input, 'input', where);
  const output = options.output === undefined ? undefined : compile(options.output, 'output', where);
  const mirrored = headerPlan(input.jsonSchema);
  if ('fault' in mirrored) throw new Misconfigured({ message: `${where}, input: ${mirrored.fault}` });
  return {
    kind: 'tool',
    name,
    definition: {
      name,
      ...presented(options, where),
      inputSchema: { type: 'object', ...input.jsonSchema },
      ...(output === undefined ? undefined : { outputSchema: output.jsonSchema }),
      ...(options.annotations === undefined ? undefined : { annotations: options.annotations }),
    },
    decode: input.decode,
    ...(mirrored.length === 0 ? undefined : { mirrored }),
    work: {
      // What the decoder lets through is what the handler's type says; the two were made from one schema.
      handle: handler as (args: unknown, call: Call) => unknown,
      finish: output === undefined ? anyContent : structured(output, name),
      fail: (error) => (error instanceof RpcError ? undefined : failed(blunder(error) ?? `${name} failed`)),
    },
  };
};

const toolName = /^[A-Za-z0-9_.-]{1,128}$/;

const text = (said: string): ContentBlock => ({ type: 'text', text: said });

/** A result that says that the tool failed, for the model to read (TOOL-17). */
export const failed = (why: string): Fresh => ({ resultType: 'complete', content: [text(why)], isError: true });

/** Text mirrors whatever is structured, for clients that show only text (TOOL-14, AMB-08). */
const mirrored = (value: unknown): Fresh => ({
  resultType: 'complete',
  content: [text(JSON.stringify(value) ?? 'null')],
  structuredContent: value,
});

const structured =
  (output: CompiledShape, name: string): Work<unknown>['finish'] =>
  (value) => {
    if (isReply(value)) return replied(value, output, name);
    const verdict = output.decode(value);
    return verdict instanceof Promise ? verdict.then((late) => judged(late, name)) : judged(verdict, name);
  };

const judged = (verdict: Verdict, name: string): Fresh =>
  verdict.ok
    ? mirrored(verdict.value)
    : unfit(`${name} gave a result that does not fit its own output schema: ${verdict.problem}`);

/** The tool's own fault: its operator hears of it as well as the model. */
const unfit = (message: string): never => {
  throw new Misconfigured({ message });
};

/** A reply is sent as written; what it says to programs is checked all the same, unless it says that it failed (AMB-07). */
const replied = (reply: Reply, output: CompiledShape, name: string): Fresh | Promise<Fresh> => {
  const { result } = reply;
  if (result.isError === true) return { resultType: 'complete', ...result };
  const judge = (verdict: Verdict): Fresh =>
    verdict.ok
      ? {
          resultType: 'complete',
          content: mirrored(verdict.value)['content'],
          ...result,
          structuredContent: verdict.value,
        }
      : judged(verdict, name);
  const verdict = output.decode(result.structuredContent);
  return verdict instanceof Promise ? verdict.then(judge) : judge(verdict);
};

const replyOf = ({ result }: Reply): Fresh =>
  result.structuredContent === undefined
    ? { resultType: 'complete', content: [], ...result }
    : { ...mirrored(result.structuredContent), ...result };

/** What a block of each type cannot be without: a tool's own data may happen to have a `type`, too. */
const blocks: Readonly<Record<string, readonly (readonly [string, 'string' | 'object'])[]>> = {
  text: [['text', 'string']],
  image: [
    ['data', 'string'],
    ['mimeType', 'string'],
  ],
  audio: [
    ['data', 'string'],
    ['mimeType', 'string'],
  ],
  resource: [['resource', 'object']],
  resource_link: [
    ['uri', 'string'],
    ['name', 'string'],
  ],
};

const isBlock = (value: unknown): boolean => {
  if (!isObject(value) || typeof value['type'] !== 'string' || !Object.hasOwn(blocks, value['type'])) return false;
  return blocks[value['type']]?.every(([member, type]) => typeof value[member] === type) === true;
};

const anyContent = (given: unknown): Fresh => {
  // A Date, say, is what JSON makes of it.
  const value =
    isObject(given) && typeof given['toJSON'] === 'function' ? (JSON.parse(JSON.stringify(given)) as unknown) : given;
  if (typeof value === 'string') return { resultType: 'complete', content: [text(value)] };
  if (value === undefined) return { resultType: 'complete', content: [] };
  if (isReply(value)) return replyOf(value);
  if (isArray(value) && value.every(isBlock)) return { resultType: 'complete', content: value };
  if (isBlock(value)) return { resultType: 'complete', content: [value] };
  return isObject(value)
    ? mirrored(value)
    : { resultType: 'complete', content: [text(JSON.stringify(value) ?? String(value))] };
};
