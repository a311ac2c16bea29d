/**
 * Looks at the page of `server.ts` as a person does, in the machine's own Chromium, and checks what is to be seen.
 *
 *     npm run demo browser
 */
import { check, story } from '../story/check.ts';
import { chapter, good, say } from '../story/tell.ts';
import { chromiumPath, noChromium, startChromium } from './chromium.ts';
import { house } from './house.ts';
import { expose, listener, patienceMs, shows, text } from './looking.ts';

await story(async () => {
  check(chromiumPath() !== undefined, noChromium);
  await using place = await house(0);
  const told = listener(place.told$);

  chapter('Open the page');
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(patienceMs);
    const complaints: string[] = [];
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('console', (message) => complaints.push(message.text()));
    await page.goto(place.url);
    await shows(page, '#state', /^Connected · 2026-07-28$/);
    good(`Chromium ${browser.version()} shows: ${await text(page, '#state')}`);
    await shows(page, '#tools', /Expose.*Dome.*Label/);
    good('it lists the tools expose, dome and label');
    check(complaints.length === 0, 'the page should have nothing to complain of', complaints);

    for (const transport of ['HTTP', 'WebSocket']) {
      chapter(`Expose, over ${transport}`);
      await page.getByLabel(transport).check();
      await shows(page, '#state', /^Connected/);
      await expose(page, told);
      await shows(page, '#camera', /^The shutter is closed\.$/);
      good(`the server says so: ${await told(/was stopped after/)}; its camera, a live resource, too`);
    }

    chapter('Look at what a server must not do');
    const markup = '<img src="/icon.svg" onerror="document.title = 0"><script>document.title = 1</script>';
    await page.getByRole('button', { name: 'Label', exact: true }).click();
    await page.getByLabel('Text').fill(markup);
    await page.keyboard.press('Enter');
    await shows(page, '#calls li:first-child .said', /^<img/);
    check((await text(page, '#calls li:first-child .said')) === markup, 'markup should be shown as it came');
    check((await page.locator('main img, main script').count()) === 0, 'no text should become an element');
    good('markup that it sends is text on the page');

    chapter('Close the dome');
    await page.getByRole('button', { name: 'Dome', exact: true }).click();
    await page.getByRole('button', { name: 'Run' }).click();
    await page.locator('#tools li').filter({ hasText: 'Expose' }).waitFor({ state: 'detached' });
    good('the tool expose goes from the list by itself');

    chapter('Lose the connection');
    place.shut();
    await shows(page, '#state', /^Reconnecting…$/);
    good('the page says that it is reconnecting');
    place.open();
    await shows(page, '#state', /^Connected/);
    await page.getByLabel('Open').check();
    await page.getByRole('button', { name: 'Run' }).click();
    await shows(page, '#tools', /Expose/);
    good('and it has connected again; the list goes on');
  } finally {
    await browser.close();
  }
  say('');
  say('npm run demo:browser serves the page for you.');
});
