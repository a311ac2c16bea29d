/** The page of `demos/browser`: what it is allowed, how it reads, and that no server makes markup of it. */
import { concat, of, Subject, throwError } from 'rxjs';
import type { Page } from 'playwright-core';
import { afterEach, describe, expect, it } from 'vitest';
import { log, progress, resource, RpcError, server, tool } from '../../lib/index.ts';
import { house, type House, type Inside } from '../../demos/browser/house.ts';
import { cameraUri } from '../../demos/browser/observatory.ts';
import { run } from '../demos/demo.ts';
import { inChromium, windows } from './chromium.ts';
import { until } from './visit.ts';

const houses: House[] = [];
afterEach(async () => {
  await Promise.all(houses.splice(0).map((one) => one[Symbol.asyncDispose]()));
});
const open = async (inside?: Inside): Promise<House> => {
  const opened = await house(0, inside);
  houses.push(opened);
  return opened;
};

/** Would show itself in any place where text is taken for markup. */
const markup =
  '"><img src="/icon.svg" onerror="document.title=1" onload="document.title=2"><script>document.title=3</script>';

const hostile = (): Inside => {
  const shut$ = new Subject<string>();
  const made = server(
    { name: markup, version: markup },
    tool(
      'trap',
      {
        title: markup,
        description: markup,
        input: {
          type: 'object',
          properties: {
            text: { type: 'string', title: markup, description: markup, default: markup },
            choice: { type: 'string', title: 'Choice', enum: [markup, '</option></select>'], default: markup },
            more: { type: 'array', title: 'More', default: [markup, '</textarea>'] },
          },
        },
      },
      () => concat(of(progress(1, 2, markup), log('info', markup), log('info', { [markup]: markup })), of(markup)),
    ),
    tool('fall', {}, () => throwError(() => new RpcError({ code: -32000, message: markup }))),
    resource(cameraUri, { live: true }, () => of(markup)),
  );
  return { server: made, told$: shut$ };
};

describe('the page of demos/browser', () => {
  it('may run its own files, talk to its own server, and nothing else; and is kept nowhere', async () => {
    const { url } = await open();
    const { port } = new URL(url);
    for (const path of ['', 'main.js', 'style.css', 'icon.svg', 'nothing']) {
      const { headers, status } = await fetch(url + path);
      expect(status).toBe(path === 'nothing' ? 404 : 200);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('content-security-policy')?.split('; ')).toEqual([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        `connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ]);
    }
  });
});

inChromium('the page of demos/browser in Chromium', () => {
  const visit = windows();
  const seen = async ({ url }: House) => {
    const page = await visit('about:blank');
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(url);
    await page.getByText(/^Connected · /).waitFor();
    return { page, complaints };
  };

  const markupIn = (page: Page): Promise<number> => page.locator('main :is(img, script)').count();

  it('shows whatever a server says as text (CVE-2025-58444)', async () => {
    const { page, complaints } = await seen(await open(hostile()));
    await page.locator('#camera').filter({ hasText: markup }).waitFor();
    await page.locator('#tools button').first().click();
    expect(await page.locator('#form h3').innerText()).toBe(markup);
    expect(await page.locator('#form input').inputValue()).toBe(markup);
    expect(await page.locator('#form select').inputValue()).toBe(markup);
    expect(await page.locator('#form textarea').inputValue()).toBe(JSON.stringify([markup, '</textarea>']));
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#calls .said').filter({ hasText: markup }).waitFor();
    await page.locator('#tools button').last().click();
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('[data-outcome=failed] .said').filter({ hasText: markup }).waitFor();
    await until(async () =>
      expect(await page.locator('#log').innerText()).toContain(JSON.stringify({ [markup]: markup })),
    );
    expect(await markupIn(page)).toBe(0);
    expect(await page.title()).toBe('Observatory · rxmcp in a browser');
    expect(complaints).toEqual([]);
  });

  it('could not make markup of text if it tried', async () => {
    const { page } = await seen(await open());
    const tried = await page.evaluate((text) => {
      try {
        document.body.innerHTML = text;
        return 'done';
      } catch (error) {
        return String(error);
      }
    }, markup);
    expect(tried).toMatch(/TrustedHTML/);
    expect(await markupIn(page)).toBe(0);
  });

  it('has a name for everything that can be used, in the order that it is read', async () => {
    const { page } = await seen(await open());
    await page.locator('#camera').filter({ hasText: 'The shutter is closed.' }).waitFor();
    await page.getByRole('button', { name: 'Expose', exact: true }).press('Enter');
    const outline = await page.locator('body').ariaSnapshot();
    const named = /- (group|radio|region|button|form|combobox|spinbutton|list|log)\b(?: "([^"]*)")?/g;
    expect([...outline.matchAll(named)].map(([, role, name]) => `${role}: ${name ?? ''}`)).toEqual([
      'group: Transport',
      'radio: HTTP',
      'radio: WebSocket',
      'region: Tools',
      'list: ',
      'button: Expose',
      'button: Dome',
      'button: Label',
      'region: Call',
      'form: Call',
      'combobox: Target',
      'spinbutton: Seconds',
      'button: Run',
      'list: Calls',
      'region: Log',
      'log: Log',
    ]);
    expect(outline).toContain('status: Connected');
  });

  it('keeps the focus where it was when the list changes, and gives it back when a call has ended', async () => {
    const { page } = await seen(await open());
    const focused = () => page.evaluate(() => document.activeElement?.textContent);
    await page.getByRole('button', { name: 'Expose', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Run' }).press('Enter');
    await page.getByRole('button', { name: 'Cancel expose' }).press('Enter');
    expect(await focused()).toBe('Run');
    await page.getByRole('button', { name: 'Dome', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Run' }).press('Enter');
    await page.getByRole('button', { name: 'Dome', exact: true }).focus();
    await page.locator('#tools li').filter({ hasText: 'Expose' }).waitFor({ state: 'detached' });
    expect(await focused()).toBe('Domedome');
  });

  it('is what its tour says', async () => {
    const { code, stdout, stderr, files } = await run('demos/index.ts', 'browser');
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    for (const line of [
      'it lists the tools expose, dome and label',
      'the server says so: Andromeda was stopped after',
      'markup that it sends is text on the page',
      'the tool expose goes from the list by itself',
      'and it has connected again',
    ])
      expect(stdout).toContain(line);
  });
});
