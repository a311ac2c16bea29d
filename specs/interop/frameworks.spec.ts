/** Our servers inside other people's frameworks, at whatever path, driven by the official client 2.x in both eras. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serve as serveHono } from '@hono/node-server';
import express from 'express';
import fastify from 'fastify';
import { Hono } from 'hono';
import { cloneRawRequest } from 'hono/request';
import { BehaviorSubject, concat, filter, firstValueFrom, map, Observable, of, range } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { elicit, progress, server, tool, tools } from 'rxmcp';
import { toNode } from '../../lib/node/to-node.ts';
import { toFetch } from '../../lib/transport/http/to-fetch.ts';
import { leavesNothing } from '../behaviour/leaks.ts';
import type { Driver } from './driver.ts';
import { sdk2Http } from './sdk2-driver.ts';

leavesNothing('all');

const form = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } as const;
const text = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] } as const;

/** A server, and how many of its calls hang. */
const house = () => {
  const grown$ = new BehaviorSubject<readonly string[]>([]);
  const hanging$ = new BehaviorSubject(0);
  const served = server(
    { name: 'house', version: '1' },
    tool('echo', { input: text }, (given) => given.text),
    tool('count', {}, () => concat(range(1, 5).pipe(map((done) => progress(done, 5))), of('counted'))),
    tool('hang', {}, () =>
      concat(
        of(progress(1)),
        new Observable<never>(() => {
          hanging$.next(hanging$.value + 1);
          return () => hanging$.next(hanging$.value - 1);
        }),
      ),
    ),
    tool('greet', {}, (_, call) => {
      const answer = call.ask('who', elicit(form, 'Who are you?'));
      return answer.action === 'accept' ? `hello ${answer.content.name}` : answer.action;
    }),
    tool('grow', {}, () => {
      grown$.next(['grown']);
      return 'grown';
    }),
    tools(grown$.pipe(map((names) => names.map((name) => tool(name, {}, () => name))))),
  );
  return { served, hanging$ };
};
type House = ReturnType<typeof house>;

interface Running {
  readonly url: string;
  readonly close: () => Promise<unknown>;
}

/** Where a server of Node's listens, once it does, and how it ends after its handler has. */
const listening = async (http: Server, path: string, ends: () => Promise<void>): Promise<Running> => {
  if (!http.listening) await once(http.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}${path}`,
    close: async () => {
      await ends();
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
};

const bare = ({ served }: House): Promise<Running> => {
  const handler = toNode(served);
  return listening(createServer(handler), '/', () => handler.close());
};

const inExpress =
  (parses: boolean) =>
  ({ served }: House): Promise<Running> => {
    const handler = toNode(served);
    const app = express();
    if (parses) app.use(express.json());
    app.use('/api/v1/mcp', handler);
    return listening(createServer(app), '/api/v1/mcp', () => handler.close());
  };

const inFastify =
  (parses: boolean) =>
  async ({ served }: House): Promise<Running> => {
    const handler = toNode(served);
    const app = fastify();
    if (!parses) {
      app.removeAllContentTypeParsers();
      app.addContentTypeParser('*', (_request, _payload, done) => done(null));
    }
    app.all('/deep/down', (request, reply) => {
      reply.hijack();
      handler(parses ? Object.assign(request.raw, { body: request.body }) : request.raw, reply.raw);
    });
    await app.ready();
    return listening(app.server, '/deep/down', () => handler.close());
  };

const inHono =
  (parses: boolean) =>
  async ({ served }: House): Promise<Running> => {
    const handler = toFetch(served);
    const app = new Hono();
    app.all('/here/it/is', async (context) => {
      if (!parses || context.req.method !== 'POST') return handler(context.req.raw);
      expect(await context.req.json()).toMatchObject({ jsonrpc: '2.0' });
      return handler(await cloneRawRequest(context.req));
    });
    const http = serveHono({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server;
    if (!http.listening) await once(http, 'listening');
    return listening(http, '/here/it/is', () => handler.close());
  };

const frameworks: Readonly<Record<string, (one: House) => Promise<Running>>> = {
  'a server of Node': bare,
  'Express, which leaves the body alone': inExpress(false),
  'Express, which has parsed the body': inExpress(true),
  'Fastify, which leaves the body alone': inFastify(false),
  'Fastify, which has parsed the body': inFastify(true),
  'Hono, which leaves the body alone': inHono(false),
  'Hono, which has parsed the body': inHono(true),
};

const eras = [
  { era: 'modern', mode: { pin: '2026-07-28' }, revision: '2026-07-28' },
  { era: 'by handshake', mode: 'legacy', revision: '2025-11-25' },
] as const;

describe.each(Object.entries(frameworks))('in %s', (_, start) => {
  describe.each(eras)('the client of SDK 2, $era', ({ mode, revision }) => {
    const one = house();
    let running: Running;
    let driver: Driver;

    beforeAll(async () => {
      running = await start(one);
      driver = await sdk2Http(mode)(running.url, {
        form: () => ({ name: 'Ada' }),
        sample: () => '',
        roots: [],
      });
    });
    afterAll(async () => {
      await driver.close();
      await running.close();
      expect(driver.errors).toEqual([]);
    });

    it('connects, and calls a tool', async () => {
      expect(driver.revision).toBe(revision);
      expect(driver.server).toMatchObject({ name: 'house' });
      const long = 'ü'.repeat(20_000);
      expect(await driver.call('echo', { text: long })).toMatchObject({ content: [{ text: long }] });
    });

    it('hears of progress before the result', async () => {
      const before = driver.heard.length;
      expect(await driver.call('count', {}, { onprogress: () => undefined })).toMatchObject({
        content: [{ text: 'counted' }],
      });
      expect(driver.heard.slice(before)).toMatchObject([
        ...[1, 2, 3, 4, 5].map((done) => ({ method: 'notifications/progress', params: { progress: done } })),
        { result: {} },
      ]);
    });

    it('answers what it is asked in the middle of a call', async () => {
      expect(await driver.call('greet', {})).toMatchObject({ content: [{ text: 'hello Ada' }] });
    });

    it('cancels a call, which is torn down', async () => {
      const abort = new AbortController();
      let call: Promise<unknown> | undefined;
      const begun = new Promise<void>((resolve) => {
        call = driver.call('hang', {}, { signal: abort.signal, onprogress: () => resolve() });
      });
      await begun;
      expect(one.hanging$.value).toBe(1);
      abort.abort(new Error('enough'));
      await expect(call).rejects.toThrow('enough');
      await firstValueFrom(one.hanging$.pipe(filter((hanging) => hanging === 0)));
    });

    it('hears of a tool that has come', async () => {
      await driver.watchLists();
      const told = firstValueFrom(driver.listed$.pipe(filter((list) => list === 'tools')));
      await driver.call('grow', {});
      await told;
      expect((await driver.tools()).map(({ name }) => name)).toContain('grown');
    });
  });
});
