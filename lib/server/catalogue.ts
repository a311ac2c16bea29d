/** All that a server offers, sorted. */
import { EMPTY, merge, type Observable } from 'rxjs';
import type { ServerCapabilities } from '../protocol/peer.ts';
import type { Feature, Listing, Offer } from './feature.ts';
import type { PromptFeature } from './prompt.ts';
import type { ResourceFeature, TemplateFeature } from './resource.ts';
import { shelf, type Shelf } from './shelf.ts';
import type { ToolFeature } from './tool.ts';

export type AnyTool = ToolFeature;
export type AnyResource = ResourceFeature | TemplateFeature;

export interface Catalogue {
  readonly tools: Shelf<AnyTool>;
  readonly resources: Shelf<AnyResource>;
  readonly prompts: Shelf<PromptFeature>;
  /** URIs of resources that have changed, as the server hears of it. */
  readonly updates$: Observable<string>;
  readonly capabilities: ServerCapabilities;
}

export const catalogue = (features: readonly Feature[]): Catalogue => {
  const tools = shelf('tool', ({ name }) => name, features.filter(isTool), listings<AnyTool>(features, 'tools'));
  const resources = shelf(
    'resource',
    keyOfResource,
    features.filter(isResource),
    listings<AnyResource>(features, 'resources'),
  );
  const prompts = shelf(
    'prompt',
    ({ name }) => name,
    features.filter(isPrompt),
    listings<PromptFeature>(features, 'prompts'),
  );
  const changed = features.flatMap((feature) => (feature.kind === 'updates' ? [feature.uri$] : []));
  const has = (kind: 'tools' | 'resources' | 'prompts', is: (feature: Feature) => boolean): boolean =>
    features.some((feature) => is(feature) || (feature.kind === 'listing' && feature.of === kind));
  const watchable =
    changed.length > 0 || resources.changing || features.some((feature) => isResource(feature) && feature.live);
  const completes =
    prompts.changing ||
    resources.changing ||
    features.some((feature) => 'complete' in feature && Object.keys(feature.complete).length > 0);
  const flags = (is: Shelf<never> | Shelf<AnyTool> | Shelf<AnyResource> | Shelf<PromptFeature>) =>
    is.changing ? { listChanged: true } : {};
  return {
    tools,
    resources,
    prompts,
    updates$: changed.length === 0 ? EMPTY : merge(...changed),
    capabilities: {
      ...(has('tools', isTool) ? { tools: flags(tools) } : undefined),
      ...(has('resources', isResource) || changed.length > 0
        ? { resources: { ...flags(resources), ...(watchable ? { subscribe: true } : undefined) } }
        : undefined),
      ...(has('prompts', isPrompt) ? { prompts: flags(prompts) } : undefined),
      ...(completes ? { completions: {} } : undefined),
      // Any handler may log (CAP-03).
      logging: {},
    },
  };
};

export const keyOfResource = (offer: AnyResource): string =>
  offer.kind === 'resource' ? offer.uri : offer.definition.uriTemplate;

const isTool = (feature: Feature): feature is AnyTool => feature.kind === 'tool';
const isResource = (feature: Feature): feature is AnyResource =>
  feature.kind === 'resource' || feature.kind === 'template';
const isPrompt = (feature: Feature): feature is PromptFeature => feature.kind === 'prompt';

/** What a listing lists is what its maker (`tools`, `resources`, `prompts`) took. */
const listings = <O extends Offer>(features: readonly Feature[], kind: Listing['of']): readonly Listing<O>[] =>
  features.filter((feature): feature is Listing<O> => feature.kind === 'listing' && feature.of === kind);
