/** What a server is made of: tools, resources, resource templates, prompts, and streams of them. */
import type { Observable } from 'rxjs';
import type { JsonObject } from '../frame/frame.ts';
import type { Annotations } from '../protocol/content.ts';
import { checkMeta } from '../protocol/meta-key.ts';
import type { Icon } from '../protocol/peer.ts';
import type { PromptFeature } from './prompt.ts';
import type { ResourceFeature, TemplateFeature } from './resource.ts';
import type { ToolFeature } from './tool.ts';

/** How anything that can be listed presents itself. */
export interface Presentation {
  /** A name for people. */
  readonly title?: string;
  readonly description?: string;
  readonly icons?: readonly Icon[];
  /** Travels with the definition; keys need a prefix of your own (META-04). */
  readonly meta?: JsonObject;
}

/** How a resource or a template presents itself. */
export interface ResourcePresentation extends Presentation {
  readonly mimeType?: string;
  readonly annotations?: Annotations;
}

/** Any one thing that a server offers. */
export type Offer = ToolFeature | ResourceFeature | TemplateFeature | PromptFeature;

/** Offers that come and go: each emission is the whole list. */
export interface Listing<O extends Offer = Offer> {
  readonly kind: 'listing';
  readonly of: 'tools' | 'resources' | 'prompts';
  readonly list$: Observable<readonly O[]>;
}

/** Changes that the server learns of from elsewhere: each emission is the URI of a resource whose content changed. */
export interface Updates {
  readonly kind: 'updates';
  readonly uri$: Observable<string>;
}

/** Anything that a server is made of. */
export type Feature = Offer | Listing | Updates;

/**
 * Tools that come and go. Whoever listens is told when the list changes; changes within 50 ms (`coalesceMs` of {@link
 * serverWith}) become one notice.
 *
 * @param list$ - each emission is the whole list; requests wait for the first. Subscribed while the server runs. Where
 * it fails, requests for the list fail too; where it completes, the last list stays
 * @example
 * const weekend$ = timer(0, 60_000).pipe(map(() => [0, 6].includes(new Date().getDay())));
 * const rest = tool('rest', { description: 'Only at weekends' }, () => 'Good idea.');
 * server({ name: 'diary', version: '1.0.0' }, tools(weekend$.pipe(map((weekend) => (weekend ? [rest] : [])))));
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/tools#list-changed-notification
 */
export const tools = (list$: Observable<readonly ToolFeature[]>): Listing<ToolFeature> => ({
  kind: 'listing',
  of: 'tools',
  list$,
});

/**
 * Resources and resource templates that come and go; see {@link tools}.
 *
 * @param list$ - each emission is the whole list; requests wait for the first. Subscribed while the server runs
 * @example
 * const names$ = of(['todo', 'done']);
 * const notes = resources(
 *   names$.pipe(map((names) => names.map((name) => resource(`notes:///${name}`, {}, () => `What is ${name}`)))),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#list-changed-notification
 */
export const resources = (
  list$: Observable<readonly (ResourceFeature | TemplateFeature)[]>,
): Listing<ResourceFeature | TemplateFeature> => ({
  kind: 'listing',
  of: 'resources',
  list$,
});

/**
 * Prompts that come and go; see {@link tools}.
 *
 * @param list$ - each emission is the whole list; requests wait for the first. Subscribed while the server runs
 * @example
 * const topics$ = of(['style', 'safety']);
 * const reviews = prompts(
 *   topics$.pipe(map((topics) => topics.map((topic) => prompt(`review-${topic}`, {}, () => `Review the ${topic}.`)))),
 * );
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/prompts#list-changed-notification
 */
export const prompts = (list$: Observable<readonly PromptFeature[]>): Listing<PromptFeature> => ({
  kind: 'listing',
  of: 'prompts',
  list$,
});

/**
 * Tells subscribers of resources that these have changed.
 *
 * @param uri$ - each emission is the URI of a resource that changed, or of a part of one that somebody subscribed to.
 * Listened to while somebody subscribes
 * @example
 * const saved$ = new Subject<string>();
 * server(
 *   { name: 'notes', version: '1.0.0' },
 *   resource('notes:///todo', {}, () => 'Buy milk'),
 *   updates(saved$),
 * );
 * saved$.next('notes:///todo');
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/resources#subscriptions
 */
export const updates = (uri$: Observable<string>): Updates => ({ kind: 'updates', uri$ });

/** The members of a presentation that were given, as a definition has them. */
export const presented = ({ title, description, icons, meta }: Presentation, where: string): JsonObject => {
  if (meta !== undefined) checkMeta(meta, where);
  return {
    ...(title === undefined ? undefined : { title }),
    ...(description === undefined ? undefined : { description }),
    ...(icons === undefined ? undefined : { icons }),
    ...(meta === undefined ? undefined : { _meta: meta }),
  };
};
