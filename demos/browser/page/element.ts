/** How the page is built: elements by name, and whatever comes from elsewhere as text. Nothing here takes markup. */

/** Attributes by name; `true` is one without a value, `false` and undefined none. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * Makes an element.
 *
 * @param children - elements, and strings, which become text whatever is in them
 */
export const element = <K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] => {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes))
    if (value !== undefined && value !== false) made.setAttribute(attribute, value === true ? '' : String(value));
  made.append(...children);
  return made;
};

/**
 * An element of the page itself.
 *
 * @throws Error where the page has none, or it is of another kind
 */
export const find = <E extends Element>(id: string, kind: new () => E): E => {
  const found = document.getElementById(id);
  if (found instanceof kind) return found;
  throw new Error(`the page has no ${kind.name} "${id}"`);
};
