/** One Chromium for a file of specs, and windows of their own for each of them. */
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { chromiumPath, noChromium, startChromium } from '../../demos/browser/chromium.ts';

const missing = chromiumPath() === undefined ? noChromium : undefined;
if (missing !== undefined && process.env['CI'] === 'true') throw new Error(missing);
if (missing !== undefined) console.warn(`No browser runs these specs: ${missing}`);

/** A suite that needs the browser: skipped without one, unless `CI=true`, when its file fails. */
export const inChromium = describe.skipIf(missing !== undefined);

/** Names under `.example` are this machine: a page at one of them is none of loopback's, wherever it is loaded from. */
const args = ['--host-resolver-rules=MAP *.example 127.0.0.1'];

/** How long a browser may take to start or to end on a machine that has much else to do, in milliseconds. */
export const patienceMs = 60_000;

/** Opens pages; each spec's are closed at its end. */
export const windows = (): ((url: string) => Promise<Page>) => {
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    if (missing === undefined) browser = await startChromium(args);
  }, patienceMs);
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(() => browser?.close(), patienceMs);
  return async (url) => {
    if (browser === undefined) throw new Error('there is no browser yet');
    const context = await browser.newContext();
    contexts.push(context);
    const page = await context.newPage();
    await page.goto(url);
    return page;
  };
};
