/** A server with the tools of the official suite's client scenarios; it notes what it was asked, and answered. */
import { map } from 'rxjs';
import {
  elicit,
  isAnswer,
  middleware,
  prompt,
  resource,
  Schema,
  server,
  tool,
  type Exchange,
  type JsonObject,
} from 'rxmcp';
import { Defaults } from '../../../demos/everything/forms.ts';
import { schemas } from '../../../demos/everything/schemas.ts';

const Confirmed = Schema.Struct({ confirmed: Schema.optional(Schema.Boolean) });
const anything = { type: 'object', additionalProperties: true } as const;

export interface Referee {
  readonly exchange: Exchange;
  /** Methods, in the order in which they came; a call or read with what it names. */
  readonly asked: string[];
  /** Every request's parameters, in the same order. */
  readonly params: JsonObject[];
  /** What a tool has been told by the user. */
  readonly told: unknown[];
}

export const referee = (): Referee => {
  const asked: string[] = [];
  const params: JsonObject[] = [];
  const told: unknown[] = [];
  const features = [
    tool('add_numbers', { input: Schema.Struct({ a: Schema.Number, b: Schema.Number }) }, ({ a, b }) => String(a + b)),
    tool('test_client_elicitation_defaults', {}, (_, call) => {
      told.push(call.ask('form', elicit(Defaults, 'Please accept')));
    }),
    tool('test_reconnection', {}, () => 'back again'),
    ...['test_mrtr_echo_state', 'test_mrtr_no_state'].map((name) =>
      tool(name, {}, (_, call) => {
        told.push([name, call.ask('confirm', elicit(Confirmed, 'Please confirm'))]);
      }),
    ),
    tool('test_mrtr_unrelated', {}, () => 'unrelated'),
    tool('test_mrtr_no_result_type', {}, () => 'complete all the same'),
    tool('json_schema_echo', { input: Schema.Struct({ schema: Schema.Unknown }) }, ({ schema }) => {
      told.push(schema);
    }),
    tool('test_custom_headers', { input: anything }, () => 'seen'),
    resource('file:///path/to/file%20name.txt', {}, () => 'text'),
    prompt('test_prompt', {}, () => 'text'),
    ...schemas,
  ];
  const noting = middleware((next) => (request, context) => {
    const { name, uri } = request.params ?? {};
    asked.push([request.method, name ?? uri].filter((part) => part !== undefined).join(' '));
    params.push(request.params ?? {});
    return next(request, context).pipe(
      map((emission) => {
        if (name !== 'test_mrtr_no_result_type' || !isAnswer(emission)) return emission;
        const { resultType: _, ...result } = emission.result;
        return { result };
      }),
    );
  });
  return { exchange: noting(server({ name: 'referee', version: '1.0.0' }, ...features)), asked, params, told };
};
