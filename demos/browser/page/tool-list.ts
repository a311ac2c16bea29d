/** The server's tools, as they come and go; one of them is chosen. */
import type { Tool } from 'rxmcp';
import { element } from './element.ts';

interface Shown {
  readonly item: HTMLLIElement;
  readonly button: HTMLButtonElement;
  tool: Tool;
}

/**
 * @param list - where they are shown
 * @param choose - called with the tool that is chosen now, and with none when it has gone
 */
export const toolListIn = (list: HTMLElement, choose: (tool: Tool | undefined) => void) => {
  const shown = new Map<string, Shown>();
  let chosen: string | undefined;
  let isFirst = true;

  const pick = (name: string | undefined): void => {
    chosen = name;
    for (const [at, { button }] of shown) button.setAttribute('aria-pressed', String(at === name));
    choose(name === undefined ? undefined : shown.get(name)?.tool);
  };

  const show = (tool: Tool): Shown => {
    const button = element('button', { type: 'button', 'aria-pressed': 'false' });
    button.onclick = () => pick(tool.name);
    return { item: element('li', {}, button), button, tool };
  };

  /** Shows these. An element stays as long as its tool does, and the focus with it. */
  return (tools: readonly Tool[]): void => {
    const names = new Set(tools.map(({ name }) => name));
    for (const [name, { item }] of shown)
      if (!names.has(name)) {
        item.remove();
        shown.delete(name);
      }
    for (const [index, tool] of tools.entries()) {
      const known = shown.get(tool.name) ?? show(tool);
      shown.set(tool.name, known);
      known.tool = tool;
      known.button.replaceChildren(
        element('strong', {}, tool.title ?? tool.name),
        element('code', { 'aria-hidden': 'true' }, tool.name),
      );
      if (list.children[index] !== known.item) list.insertBefore(known.item, list.children[index] ?? null);
    }
    if (chosen === undefined && isFirst) pick(tools[0]?.name);
    else if (chosen !== undefined && !names.has(chosen)) pick(undefined);
    isFirst = false;
  };
};
