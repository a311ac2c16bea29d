import { describe, expectTypeOf, it } from 'vitest';
import type { JsonObject } from '../../lib/frame/frame.ts';
import type {
  AudioContent,
  ContentBlock,
  EmbeddedResource,
  ImageContent,
  ResourceLink,
  TextContent,
} from '../../lib/protocol/content.ts';
import type { InputResponses } from '../../lib/protocol/input.ts';
import type { loggingLevels } from '../../lib/protocol/logging.ts';
import { type LoggingLevel } from '../../lib/protocol/logging.ts';
import {
  methods,
  type Method,
  type MethodTable,
  type NotificationMethod,
  type ParamsOf,
  type ReplyOf,
  type RequestMethod,
  type ResultOf,
  type WireParamsOf,
} from '../../lib/protocol/methods.ts';
import { object, optional } from '../../lib/protocol/object.ts';
import { Schema } from '../../lib/protocol/schema.ts';
import type { Tool } from '../../lib/protocol/tool.ts';
import type { CallToolParams, CallToolResult } from '../../lib/protocol/tools.ts';

describe('the types of the table', () => {
  it('know every method by name', () => {
    expectTypeOf<'tools/call'>().toExtend<RequestMethod>();
    expectTypeOf<'notifications/progress'>().toExtend<NotificationMethod>();
    expectTypeOf<Method>().toEqualTypeOf<RequestMethod | NotificationMethod>();
    expectTypeOf(methods).toExtend<MethodTable>();
    expectTypeOf(methods['tools/call'].nameIn).toEqualTypeOf<'name'>();
  });

  it('give params and results by method', () => {
    expectTypeOf<WireParamsOf<'tools/call'>>().toEqualTypeOf<CallToolParams>();
    expectTypeOf<ResultOf<'tools/call'>>().toEqualTypeOf<CallToolResult>();
    expectTypeOf<ParamsOf<'tools/call'>['name']>().toEqualTypeOf<string>();
    expectTypeOf<ParamsOf<'tools/call'>['inputResponses']>().toEqualTypeOf<InputResponses | undefined>();
    expectTypeOf<{ name: string }>().toExtend<ParamsOf<'tools/call'>>();
    expectTypeOf<{ name: string }>().not.toExtend<WireParamsOf<'tools/call'>>();
    expectTypeOf<{ arguments: JsonObject }>().not.toExtend<ParamsOf<'tools/call'>>();
    expectTypeOf<{ tools: Tool[] }>().toExtend<ReplyOf<'tools/list'>>();
    expectTypeOf<{ tools: Tool[] }>().not.toExtend<ResultOf<'tools/list'>>();
    expectTypeOf<{ mode: 'url'; message: string; url: string }>().toExtend<ParamsOf<'elicitation/create'>>();
  });

  it('let every set of params and every result be given as a JSON object', () => {
    expectTypeOf<WireParamsOf<Method>>().toExtend<JsonObject>();
    expectTypeOf<ParamsOf<Method>>().toExtend<JsonObject>();
    expectTypeOf<ResultOf<RequestMethod>>().toExtend<JsonObject>();
    expectTypeOf<ReplyOf<RequestMethod>>().toExtend<JsonObject>();
  });
});

describe('the types of objects', () => {
  it('are those of their schemas', () => {
    expectTypeOf<Schema.Schema.Type<typeof Tool>>().toEqualTypeOf<Tool>();
    expectTypeOf<ContentBlock>().toEqualTypeOf<
      TextContent | ImageContent | AudioContent | ResourceLink | EmbeddedResource
    >();
  });

  it('do not have what the newest revision has no more', () => {
    expectTypeOf<Tool>().not.toHaveProperty('execution');
    expectTypeOf<CallToolParams>().not.toHaveProperty('task');
  });

  it('may be written without what is optional, and never with undefined', () => {
    expectTypeOf<{ name: string; inputSchema: { type: 'object' } }>().toExtend<Tool>();
    expectTypeOf<{ name: string; inputSchema: { type: 'object' }; title: undefined }>().not.toExtend<Tool>();
  });

  it('hold a description to its interface', () => {
    interface Named {
      readonly name: string;
      readonly title?: string;
    }
    object<Named>({ name: Schema.String, title: optional(Schema.String) });
    // @ts-expect-error a field is forgotten
    object<Named>({ name: Schema.String });
    // @ts-expect-error a field that must be there is optional
    object<Named>({ name: optional(Schema.String), title: optional(Schema.String) });
    // @ts-expect-error a field has another type
    object<Named>({ name: Schema.Number, title: optional(Schema.String) });
    // @ts-expect-error a field is unknown
    object<Named>({ name: Schema.String, title: optional(Schema.String), more: Schema.String });
  });

  it('name the levels of severity', () => {
    expectTypeOf<(typeof loggingLevels)[number]>().toEqualTypeOf<LoggingLevel>();
  });
});
