/** The official SDK 1.x: one package, the handshake's revisions only. */
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Subject } from 'rxjs';
import type { Answered, Connect, ConnectTo, Driver, LogLine, ToolAnswer } from './driver.ts';
import { sse1 } from './fixtures/sse-transports.mjs';

const capabilities = { elicitation: { form: {} }, sampling: {}, roots: {} };

const answerWith = (client: Client, { form, sample, roots }: Answered): void => {
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({
    action: 'accept',
    content: form({
      message: params.message,
      fields: 'requestedSchema' in params ? params.requestedSchema.properties : {},
    }),
  }));
  client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => ({
    role: 'assistant',
    model: 'none',
    content: { type: 'text', text: sample(params.messages) },
  }));
  client.setRequestHandler(ListRootsRequestSchema, () => ({ roots: roots.map((uri) => ({ uri })) }));
};

export const sdk1: Connect = (command, args, env, answered) =>
  driven(new StdioClientTransport({ command, args: [...args], env }), answered);

export const sdk1Http: ConnectTo = (url, answered) => {
  const transport = new StreamableHTTPClientTransport(new URL(url));
  // It is left to its user to end the session.
  return driven(transport, answered, () => transport.terminateSession());
};

export const sdk1Sse: ConnectTo = (url, answered) => driven(sse1(url), answered);

const driven = async (transport: Transport, answered?: Answered, ends?: () => Promise<void>): Promise<Driver> => {
  const client = new Client({ name: 'sdk1', version: '1.0.0' }, answered && { capabilities });
  if (answered !== undefined) answerWith(client, answered);
  let revision: string | undefined;
  const tell = transport.setProtocolVersion?.bind(transport);
  // What the handshake agreed is told to transports only.
  transport.setProtocolVersion = (agreed) => {
    revision = agreed;
    tell?.(agreed);
  };
  const updated$ = new Subject<string>();
  const listed$ = new Subject<string>();
  const log$ = new Subject<LogLine>();
  const errors: string[] = [];
  const heard: unknown[] = [];
  client.onerror = ({ message }) => void errors.push(message);
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => updated$.next(params.uri));
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => listed$.next('tools'));
  client.setNotificationHandler(PromptListChangedNotificationSchema, () => listed$.next('prompts'));
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => listed$.next('resources'));
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => log$.next(params));
  // Who connects afterwards hands on to whoever listened before.
  transport.onmessage = (message) => void heard.push(message);
  await client.connect(transport);
  let level: string | undefined;

  return {
    revision,
    server: client.getServerVersion(),
    instructions: client.getInstructions(),
    capabilities: client.getServerCapabilities(),
    tools: async () => (await client.listTools()).tools,
    prompts: async () => (await client.listPrompts()).prompts,
    resources: async () => (await client.listResources()).resources,
    templates: async () => (await client.listResourceTemplates()).resourceTemplates,
    call: async (name, given, { level: wanted, ...options } = {}) => {
      if (wanted !== undefined && wanted !== level) await client.setLoggingLevel((level = wanted));
      return (await client.callTool({ name, arguments: given }, undefined, options)) as ToolAnswer;
    },
    read: async (uri) => (await client.readResource({ uri })).contents,
    prompt: async (name, given) => (await client.getPrompt({ name, arguments: given })).messages,
    complete: async (ref, name, value, resolved) =>
      (await client.complete({ ref, argument: { name, value }, ...(resolved && { context: { arguments: resolved } }) }))
        .completion.values,
    watch: async (uri) => {
      await client.subscribeResource({ uri });
      return () => client.unsubscribeResource({ uri });
    },
    watchLists: () => Promise.resolve(),
    updated$,
    listed$,
    log$,
    errors,
    heard,
    ping: () => client.ping(),
    close: async () => {
      await ends?.();
      await client.close();
    },
  };
};
