/** People who are shown a page to log in at, in a real browser. */
import type { Page } from 'playwright-core';
import type { Visitor } from './provider.ts';

/** Somebody with a browser; the pages that they have been shown are counted. */
export interface Person {
  /** For `onUrl`: looks at the page, and does what it asks for. */
  readonly show: (url: URL | string) => void;
  readonly shown: readonly string[];
  /** Resolves to what their last page says, once they are done; rejects where they could not do it. */
  readonly done: () => Promise<string>;
  /** What they say from now on when they are asked for their consent. */
  answer: NonNullable<Visitor['answer']>;
}

/**
 * @param open - opens a page in a browser that knows nobody yet
 * @param name - as which they log in
 */
export const person = (open: (url: string) => Promise<Page>, name: string): Person => {
  const shown: string[] = [];
  let doing = Promise.resolve('');
  let first: Page | undefined;

  /** Another window of the same browser, which remembers who they are. */
  const look = async (url: string): Promise<Page> => {
    if (first === undefined) return (first = await open(url));
    const page = await first.context().newPage();
    await page.goto(url);
    return page;
  };
  const visit = async (url: string): Promise<string> => {
    const page = await look(url);
    const { origin } = new URL(url);
    const login = page.getByRole('button', { name: 'Log in' });
    if ((await login.count()) > 0) {
      await page.getByLabel('Your name').fill(name);
      await login.click();
    }
    await page.getByRole('button', { name: somebody.answer === 'allow' ? 'Allow' : 'Refuse' }).click();
    await page.waitForURL((now) => now.origin !== origin);
    return page.locator('body').innerText();
  };
  const somebody: Person = {
    show: (url) => {
      shown.push(String(url));
      doing = doing.then(() => visit(String(url)));
      // Whoever waits for them hears of it; until then it is nobody's.
      doing.catch(() => undefined);
    },
    shown,
    done: () => doing,
    answer: 'allow',
  };
  return somebody;
};
