/** What has happened, line by line, the newest last; the oldest lines go when there are many. */
import { element } from './element.ts';

/** Who says it: this page, or the server; and whether it is bad news. */
export type Tone = 'page' | 'server' | 'bad';

const who: Readonly<Record<Tone, string>> = { page: 'page', server: 'server', bad: 'trouble' };

const most = 200;

/** @param list - where the lines go, which scrolls along unless somebody is reading further up */
export const logIn =
  (list: HTMLElement) =>
  (tone: Tone, text: string): void => {
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24;
    const now = new Date();
    const time = element('time', { datetime: now.toISOString() }, now.toLocaleTimeString(undefined, { hour12: false }));
    list.append(
      element(
        'li',
        { 'data-tone': tone },
        time,
        element('span', { class: 'who' }, who[tone]),
        element('span', {}, text),
      ),
    );
    while (list.childElementCount > most) list.firstElementChild?.remove();
    if (atEnd) list.scrollTop = list.scrollHeight;
  };

export type Log = ReturnType<typeof logIn>;
