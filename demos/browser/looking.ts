/** How the tour looks at the page, and listens to whoever serves it. */
import { filter, firstValueFrom, map, ReplaySubject, timeout, type Observable } from 'rxjs';
import type { Page } from 'playwright-core';
import { check } from '../story/check.ts';
import { good } from '../story/tell.ts';

/** How long anything may take to be seen, in milliseconds. */
export const patienceMs = 15_000;

/** Waits for the next line of this kind, after the one that was waited for last. */
export type Hear = (what: RegExp) => Promise<string>;

/** Listens from now on; what is said before somebody waits for it is not lost. */
export const listener = (told$: Observable<string>): Hear => {
  const lines$ = new ReplaySubject<string>(Infinity);
  told$.subscribe(lines$);
  let from = 0;
  return async (what) => {
    const heard$ = lines$.pipe(
      map((line, index) => ({ line, index })),
      filter(({ line, index }) => index >= from && what.test(line)),
      timeout({ first: patienceMs }),
    );
    const { line, index } = await firstValueFrom(heard$);
    from = index + 1;
    return line;
  };
};

/** What stands there now. */
export const text = async (page: Page, selector: string): Promise<string> =>
  (await page.locator(selector).innerText()).trim();

/** Waits until this is to be seen. */
export const shows = async (page: Page, selector: string, what: RegExp): Promise<void> => {
  const seen = page.locator(selector).filter({ hasText: what });
  await seen
    .waitFor()
    .catch(async () => check(false, `${selector} should show ${what.source}`, await text(page, selector)));
};

/** Runs the slow tool, sees how far it gets, and cancels it by keyboard. */
export const expose = async (page: Page, told: Hear): Promise<void> => {
  await page.getByRole('button', { name: 'Expose', exact: true }).click();
  await page.getByLabel('Seconds').fill('60');
  await page.getByRole('button', { name: 'Run' }).click();
  await told(/is open/);
  const bar = page.getByRole('progressbar', { name: 'Progress of expose' }).first();
  const seen = new Set<number>();
  while (seen.size < 4) {
    const value = Number(await bar.getAttribute('value'));
    check(value >= Math.max(0, ...seen), 'progress should only go on', [...seen, value]);
    seen.add(value);
  }
  await shows(page, '#log', /The shutter is open for Andromeda\./);
  good(
    `the bar moves while it works: ${[...seen].join(', ')} of ${await bar.getAttribute('max')}; a log line comes with it`,
  );
  await page.getByRole('button', { name: 'Cancel expose' }).press('Enter');
  await shows(page, '#calls li:first-child .said', /^Cancelled\.$/);
  good('Cancel, and it says so');
};
