/** The official SDK 2.x: its client speaks both eras, one at a time. */
import {
  Client,
  StreamableHTTPClientTransport,
  type McpSubscription,
  type Transport,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { Subject } from 'rxjs';
import type { Answered, Connect, ConnectTo, Driver, LogLine } from './driver.ts';
import { sse2 } from './fixtures/sse-transports.mjs';

const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };

const answerWith = (client: Client, { form, sample, roots }: Answered): void => {
  client.setRequestHandler('elicitation/create', ({ params }) => ({
    action: 'accept',
    content: form({
      message: params.message,
      fields: 'requestedSchema' in params ? params.requestedSchema.properties : {},
    }),
  }));
  client.setRequestHandler('sampling/createMessage', ({ params }) => ({
    role: 'assistant',
    model: 'none',
    content: { type: 'text', text: sample(params.messages) },
  }));
  client.setRequestHandler('roots/list', () => ({ roots: roots.map((uri) => ({ uri })) }));
};

/** @param mode - which eras it tries */
export const sdk2 =
  (mode: VersionNegotiationMode): Connect =>
  (command, args, env, answered) =>
    driven(mode, new StdioClientTransport({ command, args: [...args], env }), answered);

/** @param mode - which eras it tries */
export const sdk2Http =
  (mode: VersionNegotiationMode): ConnectTo =>
  (url, answered) => {
    const transport = new StreamableHTTPClientTransport(new URL(url));
    // It is left to its user to end the session.
    return driven(mode, transport, answered, () => transport.terminateSession());
  };

export const sdk2Sse: ConnectTo = (url, answered) => driven('legacy', sse2(url), answered);

const driven = async (
  mode: VersionNegotiationMode,
  transport: Transport,
  answered?: Answered,
  ends?: () => Promise<void>,
): Promise<Driver> => {
  const client = new Client(
    { name: 'sdk2', version: '1.0.0' },
    { versionNegotiation: { mode }, ...(answered && { capabilities }) },
  );
  if (answered !== undefined) answerWith(client, answered);
  const updated$ = new Subject<string>();
  const listed$ = new Subject<string>();
  const log$ = new Subject<LogLine>();
  const errors: string[] = [];
  const heard: unknown[] = [];
  client.onerror = ({ message }) => void errors.push(message);
  client.setNotificationHandler('notifications/resources/updated', ({ params }) => updated$.next(params.uri));
  client.setNotificationHandler('notifications/tools/list_changed', () => listed$.next('tools'));
  client.setNotificationHandler('notifications/prompts/list_changed', () => listed$.next('prompts'));
  client.setNotificationHandler('notifications/resources/list_changed', () => listed$.next('resources'));
  client.setNotificationHandler('notifications/message', ({ params }) => log$.next(params));
  // Who connects afterwards hands on to whoever listened before.
  transport.onmessage = (message) => void heard.push(message);
  await client.connect(transport);
  const modern = client.getProtocolEra() === 'modern';
  const open: McpSubscription[] = [];
  let level: string | undefined;

  return {
    revision: client.getNegotiatedProtocolVersion(),
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools,
    prompts: async () => (await client.listPrompts()).prompts,
    resources: async () => (await client.listResources()).resources,
    templates: async () => (await client.listResourceTemplates()).resourceTemplates,
    call: async (name, given, { level: wanted, ...options } = {}) => {
      if (wanted === undefined) return client.callTool({ name, arguments: given }, options);
      if (modern)
        return client.callTool(
          { name, arguments: given, _meta: { 'io.modelcontextprotocol/logLevel': wanted } },
          options,
        );
      if (wanted !== level) await client.request({ method: 'logging/setLevel', params: { level: (level = wanted) } });
      return client.callTool({ name, arguments: given }, options);
    },
    read: async (uri) => (await client.readResource({ uri })).contents,
    prompt: async (name, given) => (await client.getPrompt({ name, arguments: given })).messages,
    complete: async (ref, name, value, resolved) =>
      (
        await client.complete({
          ref,
          argument: { name, value },
          ...(resolved && { context: { arguments: resolved } }),
        })
      ).completion.values,
    watch: async (uri) => {
      if (modern) {
        const subscription = await client.listen({ resourceSubscriptions: [uri] });
        return () => subscription.close();
      }
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    watchLists: async () => {
      if (modern)
        open.push(
          await client.listen({ toolsListChanged: true, promptsListChanged: true, resourcesListChanged: true }),
        );
    },
    updated$,
    listed$,
    log$,
    errors,
    heard,
    ping: modern ? undefined : () => client.ping(),
    close: async () => {
      await Promise.all(open.map((subscription) => subscription.close()));
      await ends?.();
      await client.close();
    },
  };
};
