/** The client in a real browser, against a server in Node: what it does over each transport that a page has. */
import { afterEach, beforeAll, expect, it } from 'vitest';
import { inChromium, patienceMs, windows } from './chromium.ts';
import { house, serving } from './house.ts';
import { bundledLibrary, libraryIn } from './library.ts';
import { pageWith, site, type Site } from './site.ts';
import { calling, openIn, until, ways, type Way } from './visit.ts';

inChromium('a client in Chromium', () => {
  const visit = windows();
  let script = '';
  beforeAll(async () => {
    script = await bundledLibrary();
  }, patienceMs);
  const closers: Pick<Site, 'close'>[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map(({ close }) => close()));
  });

  /** A page whose own origin is allowed, and its client. */
  const meet = async ({ reach, revision, url }: Way) => {
    const rooms = house();
    const pages = await site({ '/': pageWith('/rxmcp.js'), '/rxmcp.js': script });
    const served = await serving(rooms, [pages.origin]);
    closers.push(pages, served);
    const page = await visit(pages.origin);
    const library = await libraryIn(page);
    const client = await openIn(library, await reach(library, url(served)), [revision]);
    return { ...rooms, served, page, client };
  };

  it.each(ways)('lists and calls tools over $over at $revision', async (way) => {
    const { client } = await meet(way);
    const seen = await client.evaluate(async (client) => {
      const listed: string[] = [];
      await client.listTools().forEach((tools) => listed.push(...tools.map(({ name }) => name)));
      return { listed, revision: client.revision, answer: await client.callTool('hello', { to: 'Ada' }) };
    });
    expect(seen).toMatchObject({
      listed: ['hello', 'locate', 'work'],
      revision: way.revision,
      answer: { content: [{ type: 'text', text: 'Hello, Ada' }] },
    });
  });

  it.each(ways)('hears progress when it is made, over $over at $revision', async (way) => {
    const { client, step } = await meet(way);
    const { heard } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 3']));
    step();
    await until(async () => expect(await heard()).toEqual(['1 of 3', '2 of 3']));
    step();
    await until(async () => expect(await heard()).toEqual(['1 of 3', '2 of 3', '3 of 3', 'result']));
  });

  it.each(ways)('has its work torn down by cancelling, over $over at $revision', async (way) => {
    const { client, ledger } = await meet(way);
    const { heard, cancel } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 3']));
    expect(ledger.live).toEqual({ work: 1 });
    await cancel();
    await ledger.noted('work unsubscribed');
    expect(ledger.live).toEqual({});
    // The connection is as good as before.
    const answer = await client.evaluate((client) => client.callTool('hello', { to: 'Eve' }));
    expect(answer).toMatchObject({ content: [{ text: 'Hello, Eve' }] });
  });

  it.each(ways)('leaves nothing at work when it is closed, over $over at $revision', async (way) => {
    const { client, ledger } = await meet(way);
    const { heard } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 3']));
    await client.evaluate((client) => client.close());
    await ledger.noted('work unsubscribed');
    expect(ledger.live).toEqual({});
    expect(await heard()).toEqual(['1 of 3', expect.stringMatching(/^ConnectionClosed/)]);
  });

  const resumed = ways.filter(({ over, revision }) => over === 'HTTP' && revision === '2025-11-25');

  it.each(ways.filter((way) => !resumed.includes(way)))(
    'leaves nothing at work when its page is closed, over $over at $revision',
    async (way) => {
      const { client, ledger, page } = await meet(way);
      const { heard } = await calling(client, 'work');
      await until(async () => expect(await heard()).toEqual(['1 of 3']));
      await page.close();
      await ledger.noted('work unsubscribed');
      expect(ledger.live).toEqual({});
    },
  );

  it.each(resumed)('goes on with its call when its connection is cut, over $over at $revision', async (way) => {
    const { client, step, served } = await meet(way);
    const { heard } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 3']));
    served.cut();
    step();
    await until(async () => expect(await heard()).toEqual(['1 of 3', '2 of 3']));
    step();
    await until(async () => expect(await heard()).toEqual(['1 of 3', '2 of 3', '3 of 3', 'result']));
  });

  it.each(ways.filter((way) => !resumed.includes(way)))(
    'has its call fail and its work torn down when its connection is cut, over $over at $revision',
    async (way) => {
      const { client, ledger, served } = await meet(way);
      const { heard } = await calling(client, 'work');
      await until(async () => expect(await heard()).toEqual(['1 of 3']));
      served.cut();
      await ledger.noted('work unsubscribed');
      await until(async () => expect(await heard()).toEqual(['1 of 3', expect.stringMatching(/^ConnectionClosed/)]));
    },
  );

  // There a lost connection is no cancellation: the client may come back for what it has missed (SHTTP-26).
  it.each(resumed)('has its work go on when its page is closed, over $over at $revision', async (way) => {
    const { client, ledger, page, step } = await meet(way);
    const { heard } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 3']));
    await page.close();
    step();
    step();
    await ledger.noted('work completed');
  });
});
