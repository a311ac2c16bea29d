/**
 * What lies between the revisions over HTTP: headers, sessions and streams that one side has and the other does not. A
 * gateway stands between: a client of one server, served again; what goes on both of its sides is laid open.
 */
import { firstValueFrom, lastValueFrom, Subject, toArray, type Subscription } from 'rxjs';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import {
  open,
  revisions,
  serve,
  server,
  tool,
  type ConnectOptions,
  type JsonObject,
  type OpenClient,
  type Revision,
  type Served,
} from '../../lib/index.ts';
import { isObject } from '../../lib/frame/frame.ts';
import { agentCarrier, http, remote } from '../../lib/node/index.ts';
import { isModern, legacyRevisions, metaKeys, modernRevisions, ordinal } from '../../lib/protocol/revisions.ts';
import { tapHttp, type Trip } from '../behaviour/http-tap.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing('all');

const running: Subscription[] = [];
const clients: OpenClient[] = [];
afterEach(async () => {
  for (const client of clients.splice(0).reverse()) await client.close();
  for (const one of running.splice(0)) one.unsubscribe();
});

/** Serves at a port of its own; resolves with the URL. */
const served = async (exchange: Served, spoken: readonly Revision[] = revisions): Promise<string> => {
  const listening = new Subject<AddressInfo | string>();
  const address = firstValueFrom(listening);
  const transport = http({ onListening: (where) => listening.next(where) });
  running.push(serve(exchange, transport, { revisions: spoken }).subscribe());
  const { port } = (await address) as AddressInfo;
  return `http://127.0.0.1:${port}/mcp`;
};

const carrier = agentCarrier({ proxy: false });

/** A client, and its requests with their answers, in the order in which they ended. */
const reaching = async (url: string, revision: Revision, options: ConnectOptions = {}) => {
  const trips: Trip[] = [];
  const judge = (trip: Trip): readonly string[] => {
    trips.push(trip);
    return [];
  };
  const tapped = tapHttp(carrier, { closingCancels: isModern(revision), judge });
  const target = remote(url, {
    carrier: tapped.carrier,
    headers: { authorization: 'Bearer of-this-side' },
    retry: { initialMs: 1, jitter: 0 },
  });
  const client = await open(target, { revisions: [revision], ...options });
  clients.push(client);
  return { client, trips, tapped };
};

/** A client in front of a gateway to a server, each of its sides at a revision of its own. */
const gateway = async (behind: Served, up: Revision, down: Revision) => {
  const far = await reaching(await served(behind, [up]), up, { relay: true });
  const url = await served(far.client.exchange);
  const near = await reaching(url, down);
  return { client: near.client, near, far, url };
};

const bodyOf = ({ sent }: Trip): JsonObject => (isObject(sent) ? sent : {});
const callIn = (trips: readonly Trip[]): Trip => {
  const call = trips.find((trip) => bodyOf(trip)['method'] === 'tools/call');
  if (call === undefined) throw new Error('nothing was called');
  return call;
};
/** The revision in the header of each request, and the one that should be there. */
const versions = (trips: readonly Trip[], revision: Revision) =>
  trips.map((trip) => {
    const { method, params } = bodyOf(trip);
    const meta = isObject(params) && isObject(params['_meta']) ? params['_meta'] : {};
    const named = ordinal(revision) >= ordinal('2025-06-18') && method !== 'initialize' ? revision : undefined;
    return {
      said: trip.call.headers['mcp-protocol-version'],
      right: isModern(revision) ? meta[metaKeys.protocolVersion] : named,
    };
  });

const pairs = (ups: readonly Revision[], downs: readonly Revision[]) =>
  ups.flatMap((up) => downs.map((down) => [up, down] as const));
const [oldest, newest] = [legacyRevisions[0], '2025-11-25'] as const;

let heard: (readonly [string, unknown])[] = [];
const deployer = server(
  { name: 'deployer', version: '1' },
  tool(
    'deploy',
    {
      input: {
        type: 'object',
        properties: { region: { type: 'string', 'x-mcp-header': 'Region' }, note: { type: 'string' } },
      },
    },
    (args, { context: { headers = {} } }) => {
      heard = Object.entries(headers);
      return JSON.stringify(args);
    },
  ),
);

describe('the version in a header', () => {
  it.each(revisions)(
    'is what each request has agreed on, where the revision has it: %s (BR-11, Matrix 4)',
    async (revision) => {
      const { client, trips } = await reaching(await served(deployer), revision);
      await client.callTool('deploy', {});
      await client.close();
      const all = versions(trips, revision);
      expect(all.length).toBeGreaterThan(1);
      expect(all.map(({ said }) => said)).toEqual(all.map(({ right }) => right));
      expect(callIn(trips).call.headers['mcp-protocol-version']).toBe(
        ordinal(revision) >= ordinal('2025-06-18') ? revision : undefined,
      );
    },
  );

  it.each(pairs([oldest, newest, '2026-07-28'], [oldest, newest, '2026-07-28']))(
    'is set on each side of a gateway by that side: %s behind, %s in front (BR-11)',
    async (up, down) => {
      const { client, near, far } = await gateway(deployer, up, down);
      expect(await client.callTool('deploy', { note: 'x' })).toMatchObject({ content: [{ text: '{"note":"x"}' }] });
      await client.close();
      await far.client.close();
      for (const [{ trips }, revision] of [[near, down] as const, [far, up] as const]) {
        const all = versions(trips, revision);
        expect(all.map(({ said }) => said)).toEqual(all.map(({ right }) => right));
        for (const trip of trips.filter((trip) => bodyOf(trip)['method'] !== 'initialize'))
          expect('mcp-session-id' in trip.call.headers).toBe(!isModern(revision));
      }
    },
  );
});

describe('the headers that repeat a request', () => {
  it.each(pairs(modernRevisions, [oldest, newest, '2026-07-28']))(
    'are made by a gateway for a server that needs them: %s behind, %s in front (BR-13, HTTP26-52)',
    async (up, down) => {
      const { client, far } = await gateway(deployer, up, down);
      await lastValueFrom(client.listTools());
      const args = { region: 'Zürich', note: 'x' };
      expect(await client.callTool('deploy', args)).toMatchObject({ content: [{ text: JSON.stringify(args) }] });
      expect(callIn(far.trips).call.headers).toMatchObject({
        'mcp-method': 'tools/call',
        'mcp-name': 'deploy',
        'mcp-param-region': '=?base64?WsO8cmljaA==?=',
      });
      expect(heard.filter(([name]) => name.startsWith('mcp-param-'))).toHaveLength(1);
    },
  );

  it.each(pairs([oldest, newest], [newest, '2026-07-28']))(
    'are not there for a server that does not know them: %s behind, %s in front (BR-13, Matrix 4)',
    async (up, down) => {
      const { client, far } = await gateway(deployer, up, down);
      await lastValueFrom(client.listTools());
      await client.callTool('deploy', { region: 'eu' });
      for (const { call } of far.trips)
        expect(Object.keys(call.headers).filter((name) => /^mcp-(method|name|param-)/.test(name))).toEqual([]);
    },
  );

  it('are checked where they come in, and end there (BR-13, HTTP26-35)', async () => {
    const { near, far } = await gateway(deployer, '2026-07-28', '2026-07-28');
    const post = async (more: Readonly<Record<string, string>>): Promise<Trip> => {
      const { length } = near.trips;
      const calls = near.trips.filter(({ injected }) => injected).length;
      const params = {
        name: 'deploy',
        arguments: { note: 'x' },
        _meta: { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} },
      };
      const id = `mine ${length}`;
      const answered = near.tapped.wire.next(({ way, message }) => way === 'in' && message['id'] === id);
      const posted = near.tapped.posted();
      near.tapped.inject({
        method: 'POST',
        url: posted?.url ?? '',
        headers: { ...posted?.headers, 'mcp-method': 'tools/call', 'mcp-name': 'deploy', ...more },
        body: JSON.stringify({ jsonrpc: '2.0', id, method: 'tools/call', params }),
      });
      await answered;
      const mine = near.trips.filter(({ injected }) => injected);
      expect(mine).toHaveLength(calls + 1);
      return mine[calls] as Trip;
    };
    expect(await post({ 'mcp-name': 'other' })).toMatchObject({ status: 400, heard: [{ error: { code: -32020 } }] });
    expect(far.trips.filter((trip) => bodyOf(trip)['method'] === 'tools/call')).toEqual([]);
    expect(await post({ 'mcp-param-note': 'y', authorization: 'Bearer of-the-caller', cookie: 'a=1' })).toMatchObject({
      status: 200,
      heard: [{ result: { content: [{ text: '{"note":"x"}' }] } }],
    });
    const { headers } = callIn(far.trips).call;
    expect(Object.keys(headers).filter((name) => name.startsWith('mcp-param-') || name === 'cookie')).toEqual([]);
    expect(headers['authorization']).toBe('Bearer of-this-side');
  });
});

describe('a stream that is taken up again', () => {
  const counter = server(
    { name: 'counter', version: '1' },
    tool('count', {}, async (_, call) => {
      for (let step = 1; step <= 5; step += 1) {
        call.progress(step, 5);
        // Whoever is hung up on comes back for the rest.
        if (step % 2 === 0) call.context.hangUp?.(1);
        await new Promise((resolve) => setImmediate(resolve));
      }
      return 'counted';
    }),
  );

  it.each(revisions)('is a matter between a gateway and the server behind it: %s in front (BR-18)', async (down) => {
    const { client, near, far } = await gateway(counter, newest, down);
    const events = await lastValueFrom(client.call('count', {}).pipe(toArray()));
    expect(events.map((event) => (event.kind === 'progress' ? event.progress : event.kind))).toEqual([
      1,
      2,
      3,
      4,
      5,
      'result',
    ]);
    await client.close();
    const resumed = far.trips.filter(({ call }) => call.headers['last-event-id'] !== undefined);
    expect(resumed.length).toBeGreaterThan(0);
    // The ids of the server behind are nobody else's business.
    const ids = new Set(far.trips.flatMap(({ eventIds }) => eventIds));
    expect(ids.size).toBeGreaterThan(5);
    const told = near.trips.map(({ heard, call, sent }) => JSON.stringify([heard, call.headers, sent])).join('\n');
    const sessions = far.trips.flatMap(({ header }) => header('mcp-session-id') ?? []);
    for (const secret of sessions) expect(told).not.toContain(secret);
    expect(near.trips.filter(({ call }) => call.headers['last-event-id'] !== undefined)).toEqual([]);
    if (isModern(down)) expect(near.trips.flatMap(({ eventIds }) => eventIds)).toEqual([]);
  });
});
