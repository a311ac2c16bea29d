/** A server in a frame of another origin, and the page around it the client: windows that trust nobody but each other. */
import type { Frame, JSHandle, Page } from 'playwright-core';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { Target } from '../../lib/index.ts';
import { inChromium, patienceMs, windows } from './chromium.ts';
import { bundled, bundledLibrary, libraryIn, type Library } from './library.ts';
import { pageWith, site, type Site } from './site.ts';
import { calling, openIn, until, working } from './visit.ts';

const stranger = 'http://stranger.example';

/** How a page may reach a frame, and which page of the frame's that takes. */
interface Way {
  readonly way: string;
  readonly path: string;
  readonly reach: (library: JSHandle<Library>, frame: JSHandle<Window>, origin: string) => Promise<JSHandle<Target>>;
}

const byPort: Way = {
  way: 'a port of its own',
  path: '/ports',
  reach: (library, frame, origin) =>
    library.evaluateHandle((rxmcp, { frame, origin }): Target => rxmcp.portToWindow(frame, { origin, acceptMs: 500 }), {
      frame,
      origin,
    }),
};

const byWindow: Way = {
  way: 'messages to its window',
  path: '/talking',
  reach: (library, frame, origin) =>
    library.evaluateHandle((rxmcp, { frame, origin }): Target => rxmcp.messageWindow(frame, { origin }), {
      frame,
      origin,
    }),
};

inChromium('a frame in Chromium', () => {
  const visit = windows();
  let scripts: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    const program = (name: string) => bundled(new URL(`programs/${name}.ts`, import.meta.url));
    const [library, frame, talking] = await Promise.all([bundledLibrary(), program('frame'), program('talking-frame')]);
    scripts = { '/rxmcp.js': library, '/frame.js': frame, '/talking.js': talking };
  }, patienceMs);
  const closers: Pick<Site, 'close'>[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map(({ close }) => close()));
  });

  const open = async (files: Readonly<Record<string, string>>): Promise<Site> => {
    const opened = await site({ ...files, ...scripts });
    closers.push(opened);
    return opened;
  };

  /** A page, with a frame in it that serves pages of the origin `trusted`, by default the page's. */
  const enter = async ({ path }: Way, trusted?: string) => {
    const [outside, inside] = await Promise.all([
      open({ '/': pageWith('/rxmcp.js') }),
      open({ '/ports': pageWith('/frame.js'), '/talking': pageWith('/talking.js') }),
    ]);
    const page = await visit(outside.origin);
    const trusts = encodeURIComponent(trusted ?? outside.origin);
    return { page, outside, inside, ...(await framed(page, `${inside.origin}${path}#${trusts}`)) };
  };

  it.each([byPort, byWindow].flatMap((way) => (['2026-07-28', '2025-11-25'] as const).map((at) => ({ ...way, at }))))(
    'serves the page around it by $way at $at, and is cancelled',
    async ({ at, ...way }) => {
      const { library, frame, inside } = await enter(way);
      const client = await openIn(library, await way.reach(library, frame, inside.origin), [at]);
      expect(await client.evaluate((client) => client.callTool('hello', { to: 'Ada' }))).toMatchObject({
        content: [{ text: 'Hello, Ada' }],
      });
      const { heard, cancel } = await calling(client, 'work');
      await until(async () => expect(await heard()).toEqual(['1 of 2']));
      expect(await working(client)).toBe('1');
      await cancel();
      await until(async () => expect(await working(client)).toBe('0'));
    },
  );

  it('does not answer a page of an origin that it does not trust', async () => {
    const { library, frame, inside } = await enter(byPort, stranger);
    expect(await failureOf(library, await byPort.reach(library, frame, inside.origin))).toMatch(/nobody accepted/);
  });

  it('is not even asked where it has another origin than the page was told', async () => {
    const { library, frame, page } = await enter(byPort);
    const refused = page.waitForEvent('console', (message) => message.text().includes('postMessage'));
    expect(await failureOf(library, await byPort.reach(library, frame, stranger))).toMatch(/nobody accepted/);
    expect((await refused).text()).toContain(stranger);
  });

  it.each([
    ['does not trust the page', (): string => stranger, (real: string): string => real],
    ['is not the one that the page trusts', (real: string): string => real, (): string => stranger],
  ])('gets nothing through a window that %s', async (_, trusts, told) => {
    const outside = await open({ '/': pageWith('/rxmcp.js') });
    const inside = await open({ '/talking': pageWith('/talking.js') });
    const page = await visit(outside.origin);
    const address = `${inside.origin}/talking#${encodeURIComponent(trusts(outside.origin))}`;
    const { library, frame } = await framed(page, address);
    const target = await byWindow.reach(library, frame, told(inside.origin));
    const failure = await library.evaluate(
      (rxmcp, target) =>
        rxmcp.open(target, { probeMs: 200, handshakeMs: 200 }).then(
          () => 'open',
          (error: unknown) => String(error),
        ),
      target,
    );
    expect(failure).toMatch(/TimedOut/);
  });

  it('that is sandboxed, and so has no origin, reaches the page around it', async () => {
    const outside = await open({ '/': pageWith('/rxmcp.js') });
    const page = await visit(outside.origin);
    const { library, frame, inner } = await framed(page, `${outside.origin}/`, 'allow-scripts');
    const served = await library.evaluateHandle((rxmcp, source) => {
      const heard: string[] = [];
      const hello = rxmcp.tool('hello', {}, () => 'Hello from outside');
      const made = rxmcp.server({ name: 'outside', version: '1.0.0' }, hello);
      rxmcp
        .serve(made, rxmcp.ports(globalThis, { origins: ['null'], source }))
        .subscribe(({ type }) => heard.push(type));
      return heard;
    }, frame);
    const within = await libraryIn(inner);
    const toPage = (library: JSHandle<Library>): Promise<JSHandle<Target>> =>
      library.evaluateHandle(
        (rxmcp, origin): Target => rxmcp.portToWindow(globalThis.parent, { origin, acceptMs: 500 }),
        outside.origin,
      );
    const client = await openIn(within, await toPage(within));
    expect(await inner.evaluate(() => globalThis.origin)).toBe('null');
    expect(await client.evaluate((client) => client.callTool('hello', {}))).toMatchObject({
      content: [{ text: 'Hello from outside' }],
    });
    // Another frame is as sandboxed, and as nameless; it is not the one.
    const other = await framed(page, `${outside.origin}/`, 'allow-scripts');
    const others = await libraryIn(other.inner);
    expect(await failureOf(others, await toPage(others))).toMatch(/nobody accepted/);
    expect(await served.jsonValue()).toEqual(['connected']);
  });
});

/** Puts a frame into a page, and waits until it is there. */
const framed = async (
  page: Page,
  address: string,
  sandbox?: string,
): Promise<{ library: JSHandle<Library>; frame: JSHandle<Window>; inner: Frame }> => {
  const element = await page.evaluateHandle(
    ({ address, sandbox }) =>
      new Promise<HTMLIFrameElement>((resolve) => {
        const frame = document.createElement('iframe');
        if (sandbox !== undefined) frame.setAttribute('sandbox', sandbox);
        frame.src = address;
        frame.onload = () => resolve(frame);
        document.body.append(frame);
      }),
    { address, sandbox },
  );
  const inner = await element.contentFrame();
  if (inner === null) throw new Error('the frame is empty');
  const frame = await element.evaluateHandle(({ contentWindow }) => {
    if (contentWindow === null) throw new Error('the frame has no window');
    return contentWindow;
  });
  return { library: await libraryIn(page), frame, inner };
};

const failureOf = (library: JSHandle<Library>, target: JSHandle<Target>): Promise<string> =>
  library.evaluate(
    (rxmcp, target) =>
      rxmcp.open(target).then(
        () => 'open',
        (error: unknown) => String(error),
      ),
    target,
  );
