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

export type Feature = Offer | Listing | Updates;

/**
 * Tools that come and go. Whoever listens is told when the list changes.
 *
 * @param list$ - each emission is the whole list; requests wait for the first. Subscribed while the server runs.
 * @example
 * server(info, tools(plugins$.pipe(map((plugins) => plugins.map(toTool)))))
 */
export const tools = (list$: Observable<readonly ToolFeature[]>): Listing<ToolFeature> => ({
  kind: 'listing',
  of: 'tools',
  list$,
});

/** Resources and resource templates that come and go; see {@link tools}. */
export const resources = (
  list$: Observable<readonly (ResourceFeature | TemplateFeature)[]>,
): Listing<ResourceFeature | TemplateFeature> => ({
  kind: 'listing',
  of: 'resources',
  list$,
});

/** Prompts that come and go; see {@link tools}. */
export const prompts = (list$: Observable<readonly PromptFeature[]>): Listing<PromptFeature> => ({
  kind: 'listing',
  of: 'prompts',
  list$,
});

/**
 * Tells subscribers of resources that these have changed.
 *
 * @param uri$ - each emission is the URI of a resource that changed, or of a part of one that somebody subscribed to
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
