/** Finds what a URI names: a fixed resource before any template, templates in the order in which they were given. */
import type { AnyResource } from './catalogue.ts';
import type { Read, ResourceFeature, TemplateFeature } from './resource.ts';
import type { Stock } from './shelf.ts';

export interface Found {
  readonly offer: ResourceFeature | TemplateFeature;
  readonly read: Read;
}

export const find = (stock: Stock<AnyResource>, uri: string): Found | undefined => {
  const fixed = stock.byKey.get(uri);
  if (fixed?.kind === 'resource') return { offer: fixed, read: { uri, variables: {} } };
  for (const offer of stock.all) {
    if (offer.kind !== 'template') continue;
    const variables = offer.template.match(uri);
    if (variables !== undefined) return { offer, read: { uri, variables } };
  }
  return undefined;
};
