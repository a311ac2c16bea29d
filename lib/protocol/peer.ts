/**
 * What the two sides say of themselves: who they are and what they can do.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */
import { object, optional } from './object.ts';
import { JsonObject, mapOf } from './json.ts';
import { Schema } from './schema.ts';

/** A picture that a user interface may show beside a name. */
export interface Icon {
  /** An `https:` or `data:` URI. */
  readonly src: string;
  readonly mimeType?: string;
  /** `48x48`, say, or `any` for what scales. */
  readonly sizes?: readonly string[];
  /** The background that it was drawn for. */
  readonly theme?: 'dark' | 'light';
}

export const Icon = object<Icon>({
  src: Schema.String,
  mimeType: optional(Schema.String),
  sizes: optional(Schema.Array(Schema.String)),
  theme: optional(Schema.Literal('dark', 'light')),
});

/** The icons of whatever can be listed. */
export const icons = optional(Schema.Array(Icon), { since: '2025-11-25' });

/** A name for people, beside the one for programs. */
export const title = optional(Schema.String, { since: '2025-06-18' });

/** The name and version of a program. */
export interface Implementation {
  readonly name: string;
  readonly version: string;
  readonly title?: string;
  readonly description?: string;
  readonly icons?: readonly Icon[];
  readonly websiteUrl?: string;
}

export const Implementation = object<Implementation>({
  name: Schema.String,
  version: Schema.String,
  title,
  description: optional(Schema.String, { since: '2025-11-25' }),
  icons,
  websiteUrl: optional(Schema.String, { since: '2025-11-25' }),
});

/** What a client can do for a server. */
export interface ClientCapabilities {
  readonly elicitation?: {
    /** Fill in a form; also what an empty `elicitation` means. */
    readonly form?: JsonObject;
    /** Visit a page. */
    readonly url?: JsonObject;
  };
  readonly sampling?: { readonly context?: JsonObject; readonly tools?: JsonObject };
  readonly roots?: JsonObject;
  readonly experimental?: { readonly [name: string]: JsonObject };
  /** By identifier, with the settings of each. */
  readonly extensions?: { readonly [id: string]: JsonObject };
}

/** What a server can do for a client. */
export interface ServerCapabilities {
  readonly tools?: { readonly listChanged?: boolean };
  readonly prompts?: { readonly listChanged?: boolean };
  readonly resources?: { readonly listChanged?: boolean; readonly subscribe?: boolean };
  readonly completions?: JsonObject;
  readonly logging?: JsonObject;
  readonly experimental?: { readonly [name: string]: JsonObject };
  /** By identifier, with the settings of each. */
  readonly extensions?: { readonly [id: string]: JsonObject };
}

const flag = optional(Schema.Boolean);
const open = optional(JsonObject);
const listChanged = object<{ readonly listChanged?: boolean }>({ listChanged: flag });
const experimental = optional(mapOf(JsonObject));
// Extensions were declared in `initialize` before the revision that defined the field.
const extensions = optional(mapOf(JsonObject), { since: '2026-07-28', passes: true });

interface TaskCapability<R> {
  readonly list?: JsonObject;
  readonly cancel?: JsonObject;
  readonly requests?: R;
}

const tasks = <R>(requests: Schema.Schema<R>) =>
  optional(object<TaskCapability<R>>({ list: open, cancel: open, requests: optional(requests) }), {
    since: '2025-11-25',
    until: '2025-11-25',
  });

const since2511 = { since: '2025-11-25' } as const;

export const ClientCapabilities = object<ClientCapabilities>(
  {
    elicitation: optional(
      object<NonNullable<ClientCapabilities['elicitation']>>({
        form: optional(JsonObject, since2511),
        url: optional(JsonObject, since2511),
      }),
      { since: '2025-06-18' },
    ),
    sampling: optional(
      object<NonNullable<ClientCapabilities['sampling']>>({
        context: optional(JsonObject, since2511),
        tools: optional(JsonObject, since2511),
      }),
    ),
    roots: optional(
      object<JsonObject>({}, { fields: { listChanged: optional(Schema.Boolean, { until: '2025-11-25' }) } }),
    ),
    experimental,
    extensions,
  },
  {
    fields: {
      tasks: tasks(
        object<{ readonly sampling?: object; readonly elicitation?: object }>({
          sampling: optional(object<{ readonly createMessage?: JsonObject }>({ createMessage: open })),
          elicitation: optional(object<{ readonly create?: JsonObject }>({ create: open })),
        }),
      ),
    },
  },
);

export const ServerCapabilities = object<ServerCapabilities>(
  {
    tools: optional(listChanged),
    prompts: optional(listChanged),
    resources: optional(
      object<{ readonly listChanged?: boolean; readonly subscribe?: boolean }>({ listChanged: flag, subscribe: flag }),
    ),
    completions: optional(JsonObject, { since: '2025-03-26' }),
    logging: open,
    experimental,
    extensions,
  },
  {
    fields: {
      tasks: tasks(
        object<{ readonly tools?: object }>({
          tools: optional(object<{ readonly call?: JsonObject }>({ call: open })),
        }),
      ),
    },
  },
);
