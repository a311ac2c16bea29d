/** A server in a worker of a page, and the page its client: message ports as a browser has them. */
import type { JSHandle } from 'playwright-core';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { Target } from '../../lib/index.ts';
import { inChromium, patienceMs, windows } from './chromium.ts';
import { bundled, bundledLibrary, libraryIn, type Library } from './library.ts';
import { pageWith, site, type Site } from './site.ts';
import { calling, openIn, until, working } from './visit.ts';

/** A worker of the page, from this path. */
const employ = (library: JSHandle<Library>, path: string): Promise<JSHandle<Worker>> =>
  library.evaluateHandle((_, path) => new Worker(path), path);

const toWorker = (library: JSHandle<Library>, worker: JSHandle<Worker>): Promise<JSHandle<Target>> =>
  library.evaluateHandle((rxmcp, worker): Target => rxmcp.portTo(worker), worker);

inChromium('a worker in Chromium', () => {
  const visit = windows();
  let scripts: Readonly<Record<string, string>> = {};
  beforeAll(async () => {
    const [library, worker] = await Promise.all([
      bundledLibrary(),
      bundled(new URL('programs/worker.ts', import.meta.url)),
    ]);
    scripts = { '/rxmcp.js': library, '/worker.js': worker, '/broken.js': 'throw new Error("not today")' };
  }, patienceMs);
  const closers: Pick<Site, 'close'>[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map(({ close }) => close()));
  });

  const enter = async () => {
    const pages = await site({ '/': pageWith('/rxmcp.js'), ...scripts });
    closers.push(pages);
    const library = await libraryIn(await visit(pages.origin));
    return { library };
  };

  it.each(['2026-07-28', '2025-11-25'] as const)('serves its page at %s, and is cancelled', async (revision) => {
    const { library } = await enter();
    const worker = await employ(library, '/worker.js');
    const client = await openIn(library, await toWorker(library, worker), [revision]);
    expect(await client.evaluate((client) => client.callTool('hello', { to: 'Ada' }))).toMatchObject({
      content: [{ text: 'Hello, Ada' }],
    });
    const { heard, cancel } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 2']));
    expect(await working(client)).toBe('1');
    await cancel();
    await until(async () => expect(await working(client)).toBe('0'));
  });

  it('has a connection for each that asks, and the end of one is nothing to the others', async () => {
    const { library } = await enter();
    const target = await toWorker(library, await employ(library, '/worker.js'));
    const [one, two] = [await openIn(library, target), await openIn(library, target)];
    const [ones, twos] = [await calling(one, 'work'), await calling(two, 'work')];
    await until(async () => expect([await ones.heard(), await twos.heard()]).toEqual([['1 of 2'], ['1 of 2']]));
    expect(await working(two)).toBe('2');
    await one.evaluate((client) => client.close());
    await until(async () => expect(await working(two)).toBe('1'));
    expect(await twos.heard()).toEqual(['1 of 2']);
  });

  // Chromium does not tell a port that its other end has gone.
  it('that is terminated is noticed by time limits, and its client can be closed', async () => {
    const { library } = await enter();
    const worker = await employ(library, '/worker.js');
    const client = await openIn(library, await toWorker(library, worker));
    await worker.evaluate((worker) => worker.terminate());
    const failure = await client.evaluate((client) =>
      client.callTool('hello', { to: 'Ada' }, { idleMs: 300 }).then(
        () => 'answered',
        (error: unknown) => String(error),
      ),
    );
    expect(failure).toMatch(/no sign of life within 300 ms/);
    await client.evaluate(async (client) => {
      await client.close();
      await client.closed;
    });
  });

  it('that cannot start accepts no connection, and the client is told so in time', async () => {
    const { library } = await enter();
    const worker = await employ(library, '/broken.js');
    const failure = await library.evaluate(
      async (rxmcp, worker) =>
        rxmcp.open(rxmcp.portTo(worker, { acceptMs: 300 })).then(
          () => 'open',
          (error: unknown) => rxmcp.explain(error),
        ),
      worker,
    );
    expect(failure).toMatch(/nobody accepted a connection within 300 ms/);
  });
});
