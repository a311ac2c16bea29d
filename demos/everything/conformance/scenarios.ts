/** What a well-behaved client does in each scenario of the referee, once it is connected. */
import { lastValueFrom, reduce, type Observable } from 'rxjs';
import { Schema, type Client, type JsonObject } from 'rxmcp';
import { logins } from './login.ts';

export type Scenario = (client: Client, context: JsonObject) => Promise<unknown>;

const whole = <T>(pages$: Observable<readonly T[]>): Promise<readonly T[]> =>
  lastValueFrom(pages$.pipe(reduce((items: readonly T[], page) => [...items, ...page], [])));

/** Lists the tools where there are any, and calls nothing: what a schema refers to elsewhere is nobody's to fetch. */
const look: Scenario = async (client) => (client.capabilities.tools === undefined ? [] : whole(client.listTools()));

const addNumbers: Scenario = async (client) => {
  await look(client, {});
  return client.callTool('add_numbers', { a: 2, b: 3 });
};

/** Calls a tool without arguments. */
const calling =
  (name: string): Scenario =>
  async (client) => {
    await look(client, {});
    return client.callTool(name);
  };

/** Two calls that ask, and between them one that has nothing to do with either. */
const requestState: Scenario = async (client) => {
  await look(client, {});
  await Promise.all([client.callTool('test_mrtr_echo_state'), client.callTool('test_mrtr_unrelated')]);
  await client.callTool('test_mrtr_no_state');
  return client.callTool('test_mrtr_no_result_type');
};

/** Everything that is named in a header of its own, as far as the server has it. */
const everyName: Scenario = async (client) => {
  const { tools, resources, prompts } = client.capabilities;
  if (tools) for (const { name } of await whole(client.listTools())) await client.callTool(name);
  if (resources) for (const { uri } of await whole(client.listResources())) await client.readResource(uri);
  if (prompts) for (const { name } of await whole(client.listPrompts())) await client.getPrompt(name);
};

const ToolCalls = Schema.Struct({
  toolCalls: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      arguments: Schema.Record({ key: Schema.String, value: Schema.Unknown }),
    }),
  ),
});

/** The calls that the referee wants to see. */
const givenCalls: Scenario = async (client, context) => {
  await look(client, {});
  const { toolCalls } = Schema.decodeUnknownSync(ToolCalls)(context);
  for (const call of toolCalls) await client.callTool(call.name, call.arguments);
};

/** Those tools that are left once the client has seen their definitions. */
const validTools: Scenario = async (client) => {
  for (const { name, inputSchema } of await whole(client.listTools()))
    await client.callTool(name, Object.fromEntries(Object.keys(inputSchema.properties ?? {}).map((key) => [key, 'x'])));
};

/** Hands a schema back as it was listed. */
const sameSchema: Scenario = async (client) => {
  const tools = await whole(client.listTools());
  const focal = tools.find(({ name }) => name === 'json_schema_2020_12_tool');
  if (focal === undefined) throw new Error('json_schema_2020_12_tool is not listed');
  return client.callTool('json_schema_echo', { schema: focal.inputSchema });
};

export const scenarios: ReadonlyMap<string, Scenario> = new Map([
  ['initialize', look],
  ['tools_call', addNumbers],
  ['request-metadata', look],
  ['json-schema-ref-no-deref', look],
  ['elicitation-sep1034-client-defaults', calling('test_client_elicitation_defaults')],
  ['sse-retry', calling('test_reconnection')],
  ['sep-2322-client-request-state', requestState],
  ['http-standard-headers', everyName],
  ['http-custom-headers', givenCalls],
  ['http-invalid-tool-headers', validTools],
  ['json-schema-2020-12-preservation', sameSchema],
  ...[...logins.keys()].map((name) => [name, calling('test-tool')] as const),
]);
