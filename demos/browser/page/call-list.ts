/** The calls of tools, the newest first: each with its progress, a way to cancel it, and what came of it. */
import type { Observable, Subscription } from 'rxjs';
import { explain, type CallEvent, type CallToolResult, type JsonObject } from 'rxmcp';
import { element } from './element.ts';
import type { Log } from './log.ts';

/** How a call went. */
type Outcome = 'done' | 'failed' | 'cancelled';

const most = 8;

/**
 * @param list - where they are shown
 * @param log - told of log lines, and of how calls end
 * @param after - where the focus goes when the button that has it goes away
 */
export const callListIn = (list: HTMLElement, log: Log, after: () => void) => {
  const trim = (): void => {
    const ended = [...list.querySelectorAll('[data-outcome]')];
    for (const card of ended.slice(most)) card.remove();
  };

  /** Makes a call, and shows it. */
  return (name: string, args: JsonObject, call$: Observable<CallEvent<CallToolResult>>): Subscription => {
    const given = Object.entries(args).map(([at, value]) => `${at}: ${lineOf(value)}`);
    const told = given.length === 0 ? name : `${name} · ${given.join(', ')}`;
    const bar = element('progress', { 'aria-label': `Progress of ${name}` });
    const said = element('p', { class: 'quiet said' }, 'Waiting…');
    const cancel = element('button', { type: 'button', 'aria-label': `Cancel ${name}` }, 'Cancel');
    const card = element('li', {}, element('code', { class: 'told' }, told), cancel, bar, said);
    list.prepend(card);

    const end = (outcome: Outcome, text: string): void => {
      const focused = document.activeElement === cancel;
      card.dataset['outcome'] = outcome;
      said.textContent = text;
      cancel.remove();
      if (outcome === 'done') bar.value = bar.max;
      else if (!bar.hasAttribute('value')) bar.value = 0;
      if (focused) after();
      log(outcome === 'failed' ? 'bad' : 'page', `${name}: ${outcome}`);
      trim();
    };

    const subscription = call$.subscribe({
      next: (event) => {
        if (event.kind === 'log') log('server', lineOf(event.data));
        else if (event.kind === 'result') end(event.result.isError === true ? 'failed' : 'done', textOf(event.result));
        else {
          if (event.total !== undefined) bar.max = event.total;
          bar.value = event.progress;
          said.textContent = event.message ?? `${event.progress}`;
        }
      },
      error: (error: unknown) => end('failed', explain(error)),
    });
    cancel.onclick = () => {
      // Nothing else is needed: the server hears of it by the unsubscribing alone.
      subscription.unsubscribe();
      end('cancelled', 'Cancelled.');
    };
    return subscription;
  };
};

/** Any JSON, as a person reads it. */
export const lineOf = (data: unknown): string => (typeof data === 'string' ? data : JSON.stringify(data));

const textOf = ({ content }: CallToolResult): string =>
  content.map((block) => (block.type === 'text' ? block.text : `(${block.type})`)).join('\n');
