/** Pages of other origins: those that are listed may use a server, and no others, whatever they try. */
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { JSHandle } from 'playwright-core';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { inChromium, patienceMs, windows } from './chromium.ts';
import { house, serving, type House, type Serving } from './house.ts';
import { bundledLibrary, libraryIn, type Library } from './library.ts';
import { pageWith, site, type Site } from './site.ts';
import { calling, openIn, overHttp, until, ways, type Way } from './visit.ts';

const closers: Pick<Site, 'close'>[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map(({ close }) => close()));
});

/** How a page comes to its origin: by an address of this machine, or by a name that says nothing of it. */
type Named = (pages: Site) => string;

const loopback: Named = ({ origin }) => origin;
const friend: Named = ({ originAs }) => originAs('friend.example');
const stranger: Named = ({ originAs }) => originAs('stranger.example');

inChromium('a page in Chromium', () => {
  const visit = windows();
  let script = '';
  beforeAll(async () => {
    script = await bundledLibrary();
  }, patienceMs);

  const meet = async (named: Named, listed: readonly Named[]) => {
    const rooms = house();
    const pages = await site({ '/': pageWith('/rxmcp.js'), '/rxmcp.js': script });
    const served = await serving(
      rooms,
      listed.map((name) => name(pages)),
    );
    closers.push(pages, served);
    const page = await visit(named(pages));
    return { ...rooms, served, page, library: await libraryIn(page) };
  };

  it.each(ways)('of a listed origin uses a server over $over at $revision, and cancels', async (way) => {
    const { library, served, ledger } = await meet(friend, [friend]);
    const client = await openIn(library, await way.reach(library, way.url(served)), [way.revision]);
    expect(await client.evaluate((client) => client.callTool('hello', { to: 'Ada' }))).toMatchObject({
      content: [{ text: 'Hello, Ada' }],
    });
    const { heard, cancel } = await calling(client, 'work');
    await until(async () => expect(await heard()).toEqual(['1 of 3']));
    await cancel();
    await ledger.noted('work unsubscribed');
  });

  it('of a listed origin may send a header that a tool asks for (HTTP26-42)', async () => {
    const { library, served, page, ledger } = await meet(friend, [friend]);
    const client = await openIn(library, await overHttp(library, served.http), ['2026-07-28']);
    await client.evaluate((client) => client.listTools().forEach(() => undefined));
    const [sent, answer] = await Promise.all([
      page.waitForRequest((request) => request.postData()?.includes('locate') === true),
      client.evaluate((client) => client.callTool('locate', { region: 'Åland' })),
    ]);
    expect(sent.headers()).toMatchObject({ 'mcp-param-region': '=?base64?w4VsYW5k?=' });
    expect(answer).toMatchObject({ content: [{ text: 'In Åland' }] });
    expect(ledger.entries).toEqual(['locate Åland']);
  });

  const whyNot = (library: JSHandle<Library>, { reach, url, revision }: Way, served: Serving): Promise<string> =>
    reach(library, url(served)).then((target) =>
      library.evaluate(
        (rxmcp, { target, revision }) =>
          rxmcp.open(target, { revisions: [revision] }).then(
            () => 'open',
            (error: unknown) => String(error),
          ),
        { target, revision },
      ),
    );

  it.each(ways)('of any other origin does not get in over $over at $revision', async (way) => {
    const { library, served, ledger } = await meet(stranger, [friend]);
    expect(await whyNot(library, way, served)).toMatch(/^ConnectionClosed/);
    expect(ledger.entries).toEqual([]);
    // A browser asks before it posts, and has been told no.
    expect(new Set(served.asked)).toEqual(new Set([way.over === 'HTTP' ? 'OPTIONS' : 'UPGRADE']));
  });

  it.each(ways.filter(({ over }) => over === 'HTTP'))(
    'of another port of this machine does not get in over HTTP at $revision, unless it is listed',
    async (way) => {
      const { library, served, ledger } = await meet(loopback, [friend]);
      expect(await whyNot(library, way, served)).toMatch(/^ConnectionClosed/);
      expect(ledger.entries).toEqual([]);
      expect(new Set(served.asked)).toEqual(new Set(['OPTIONS']));
    },
  );

  it.each([
    ['another port of this machine', loopback],
    ['any other origin', stranger],
  ])('of %s reaches no handler by what needs no permission (CVE-2026-33252)', async (_, named) => {
    const { page, served, ledger } = await meet(named, [friend]);
    const posted = await page.evaluate(
      async ({ url, body }) => {
        const types = ['text/plain', 'text/plain;application/json', 'application/x-www-form-urlencoded', undefined];
        const answers = types.map((type) => {
          const headers = type === undefined ? {} : { 'content-type': type };
          return fetch(url, { method: 'POST', mode: 'no-cors', headers, body: new Blob([body]) });
        });
        return {
          seen: (await Promise.all(answers)).map(({ type, status }) => `${type} ${status}`),
          beacon: navigator.sendBeacon(url, body),
        };
      },
      { url: served.http, body: JSON.stringify(call) },
    );
    expect(posted).toEqual({ seen: Array.from({ length: 4 }, () => 'opaque 0'), beacon: true });
    await until(() => expect(served.asked).toEqual(Array.from({ length: 5 }, () => 'POST')));
    expect(ledger.entries).toEqual([]);
  });
});

const _meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'page', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};
const call = {
  jsonrpc: '2.0',
  id: 1,
  method: 'tools/call',
  params: { name: 'hello', arguments: { to: 'Eve' }, _meta },
};
const callHeaders = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'tools/call',
  'mcp-name': 'hello',
};

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
}

const ask = (
  { http }: Serving,
  method: string,
  origin: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    request(http, { method, agent: false, headers: { ...headers, origin } }, (response) => {
      response.resume().once('end', () => resolve({ status: response.statusCode, headers: response.headers }));
    })
      .once('error', reject)
      .end(body);
  });

const corsHeaders = ({ headers }: Answer): readonly string[] =>
  Object.keys(headers).filter((name) => name.startsWith('access-control-'));

const words = (list: string | undefined): ReadonlySet<string> =>
  new Set(list?.split(',').map((word) => word.trim().toLowerCase()));

describe('what browsers are told', () => {
  const listed = 'https://friend.example';
  const open = async (): Promise<House & { readonly served: Serving }> => {
    const rooms = house();
    const served = await serving(rooms, [listed]);
    closers.push(served);
    return { ...rooms, served };
  };
  const wanted = {
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'mcp-param-region, x-else',
  };

  it('lets a listed origin send what MCP needs, and nothing else', async () => {
    const { served } = await open();
    const { status, headers } = await ask(served, 'OPTIONS', listed, wanted);
    expect({ status, origin: headers['access-control-allow-origin'] }).toEqual({ status: 204, origin: listed });
    expect(words(headers['access-control-allow-methods'])).toEqual(new Set(['post', 'get', 'delete', 'options']));
    expect(words(headers['access-control-allow-headers'])).toEqual(
      new Set([
        'content-type',
        'accept',
        'authorization',
        'dpop',
        'mcp-protocol-version',
        'mcp-session-id',
        'mcp-method',
        'mcp-name',
        'last-event-id',
        'mcp-param-region',
      ]),
    );
    expect(headers).not.toHaveProperty('access-control-allow-credentials');
    expect(words(headers['vary'])).toContain('origin');
  });

  it('lets a listed origin read its answers, refusals too', async () => {
    const { served, ledger } = await open();
    const answers = [
      await ask(served, 'POST', listed, callHeaders, JSON.stringify(call)),
      await ask(served, 'POST', listed, { ...callHeaders, 'content-type': 'text/plain' }, JSON.stringify(call)),
      await ask(served, 'POST', listed, callHeaders, '{'),
      await ask(served, 'GET', listed, { accept: 'text/event-stream', 'mcp-session-id': 'gone' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 415, 400, 404]);
    expect(ledger.entries).toEqual(['hello Eve']);
    for (const { headers } of answers) {
      expect(headers['access-control-allow-origin']).toBe(listed);
      expect(words(headers['access-control-expose-headers'])).toEqual(
        new Set(['mcp-session-id', 'mcp-protocol-version', 'retry-after', 'www-authenticate', 'dpop-nonce']),
      );
      expect(words(headers['vary'])).toContain('origin');
      expect(headers).not.toHaveProperty('access-control-allow-credentials');
    }
  });

  it.each([
    ['another port of this machine', 'http://127.0.0.1:1', 200],
    ['a name that begins like a listed one', `${listed}.evil.example`, 403],
    ['a listed name at another port', `${listed}:8443`, 403],
    ['a listed name without TLS', 'http://friend.example', 403],
    ['a sandboxed frame', 'null', 403],
  ])('tells %s nothing', async (_, origin, status) => {
    const { served, ledger } = await open();
    const answers = [
      await ask(served, 'OPTIONS', origin, wanted),
      await ask(served, 'POST', origin, callHeaders, JSON.stringify(call)),
      await ask(served, 'GET', origin, { accept: 'text/event-stream', 'mcp-session-id': 'gone' }),
    ];
    // Whoever is on this machine may do all this without a browser.
    expect(answers.map(({ status }) => status)).toEqual(status === 200 ? [204, 200, 404] : [403, 403, 403]);
    expect(answers.flatMap(corsHeaders)).toEqual([]);
    expect(ledger.entries).toEqual(status === 200 ? ['hello Eve'] : []);
  });
});
