import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connect,
  ConnectionClosed,
  inMemory,
  NoCommonRevision,
  server,
  TimedOut,
  tool,
  type Channel,
  type Client,
  type ConnectOptions,
  type JsonObject,
  type Revision,
} from '../../lib/index.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { createLedger, puppet, tap } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

type Said = Readonly<Record<string, unknown>>;
const result = ({ id }: Said, value: JsonObject): unknown => ({ jsonrpc: '2.0', id, result: value });
const error = ({ id }: Said, code: number, data?: unknown): unknown => ({
  jsonrpc: '2.0',
  id,
  error: { code, message: 'no', data },
});

const discovered = (supportedVersions: readonly unknown[]): JsonObject => ({
  resultType: 'complete',
  supportedVersions,
  capabilities: {},
  ttlMs: 0,
  cacheScope: 'private',
});
const shaken = (protocolVersion: unknown): JsonObject => ({
  protocolVersion,
  capabilities: {},
  serverInfo: { name: 'old', version: '1' },
});

/** What a connection comes to, as far as it has come. */
const dial = (channel: Channel, options: ConnectOptions = {}) => {
  const seen: { client?: Client; error?: unknown; complete?: boolean } = {};
  const subscription = connect(channel, options).subscribe({
    next: (client) => (seen.client = client),
    error: (failure: unknown) => (seen.error = failure),
    complete: () => (seen.complete = true),
  });
  return { seen, close: () => subscription.unsubscribe() };
};
const methodsOf = (sent: readonly unknown[]): unknown[] => sent.map((frame) => (frame as Said)['method']);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  // No clock of a handshake outlives it.
  const left = vi.getTimerCount();
  vi.useRealTimers();
  expect(left).toBe(0);
});

describe('the first request to a server of unknown era', () => {
  it('is server/discover in the newest revision, and its result is the connection (VER-23, VER-24, VER-11)', () => {
    const far = puppet((asked) => result(asked, discovered(['2026-07-28'])));
    const { seen, close } = dial(far.channel, { info: { name: 'me', version: '1' } });
    expect(far.sent).toEqual([
      {
        jsonrpc: '2.0',
        id: 1,
        method: 'server/discover',
        params: {
          _meta: {
            [metaKeys.protocolVersion]: '2026-07-28',
            [metaKeys.clientCapabilities]: {},
            [metaKeys.clientInfo]: { name: 'me', version: '1' },
          },
        },
      },
    ]);
    expect(seen.client?.revision).toBe('2026-07-28');
    close();
    expect(far.open).toBe(0);
  });

  it('is asked again in a revision that both have, where the error names one (VER-07)', () => {
    const far = puppet((asked) => {
      const version = ((asked['params'] as JsonObject)['_meta'] as JsonObject)[metaKeys.protocolVersion];
      return version === 'draft'
        ? result(asked, discovered(['draft']))
        : error(asked, -32022, { supported: ['draft', '2099-01-01'], requested: version });
    });
    const { seen, close } = dial(far.channel);
    expect(methodsOf(far.sent)).toEqual(['server/discover', 'server/discover']);
    expect(seen.client?.revision).toBe('draft');
    close();
  });

  it.each([[-32020], [-32021], [-32022]])(
    'that is refused by a modern error is no reason to say initialize: %i (VER-24, AMB-04)',
    (code) => {
      const far = puppet((asked) =>
        error(asked, code, code === -32022 ? { supported: ['2099-01-01'], requested: 'x' } : undefined),
      );
      const { seen } = dial(far.channel);
      expect(methodsOf(far.sent)).toEqual(['server/discover']);
      if (code === -32022) {
        expect(seen.error).toBeInstanceOf(NoCommonRevision);
        expect(seen.error).toMatchObject({ supported: ['2099-01-01'] });
      } else expect(seen.error).toMatchObject({ code });
      expect(far.open).toBe(0);
    },
  );

  it('that is refused with older revisions named leads to initialize (VER-24)', () => {
    const far = puppet((asked) =>
      asked['method'] === 'initialize'
        ? result(asked, shaken('2025-06-18'))
        : error(asked, -32022, { supported: ['2025-06-18'], requested: 'x' }),
    );
    const { seen, close } = dial(far.channel);
    expect(seen.client?.revision).toBe('2025-06-18');
    close();
  });

  it.each([-32601, -32602, -32600, -32603, -32000, -32001, -32003, -32004, 7])(
    'that is refused in any other way leads to initialize: %i (VER-25, VER-26, ERR-11, ERR-12)',
    (code) => {
      const far = puppet((asked) => {
        if (asked['method'] === 'server/discover') return error(asked, code);
        return asked['method'] === 'initialize' ? result(asked, shaken('2025-03-26')) : undefined;
      });
      const { seen, close } = dial(far.channel);
      expect(methodsOf(far.sent)).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
      expect(far.sent[1]).toMatchObject({ params: { protocolVersion: '2025-11-25' } });
      expect(seen.client?.revision).toBe('2025-03-26');
      close();
    },
  );

  it('that is not answered leads to initialize, and its late answer is dropped (VER-25, BR-75, AMB-41, LIFE-14)', () => {
    const far = puppet((asked) => (asked['method'] === 'initialize' ? result(asked, shaken('2025-11-25')) : undefined));
    const { seen, close } = dial(far.channel, { probeMs: 500 });
    vi.advanceTimersByTime(499);
    expect(methodsOf(far.sent)).toEqual(['server/discover']);
    vi.advanceTimersByTime(1);
    expect(methodsOf(far.sent)).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
    far.say(result({ id: 1 }, discovered(['2026-07-28'])));
    expect(seen.client?.revision).toBe('2025-11-25');
    expect(seen.error).toBeUndefined();
    close();
  });

  it('that the server dies of is not said to the next one: it is opened anew, with initialize (VER-25)', () => {
    const far = puppet((asked) => {
      if (asked['method'] === 'initialize') return result(asked, shaken('2025-11-25'));
      if (asked['method'] === 'server/discover') far.end(new ConnectionClosed({ message: 'it died' }));
      return undefined;
    });
    const { seen, close } = dial(far.channel);
    expect(methodsOf(far.sent)).toEqual(['server/discover', 'initialize', 'notifications/initialized']);
    expect(seen.client?.revision).toBe('2025-11-25');
    close();
    expect(far.open).toBe(0);
  });

  it('that nobody can survive is an error that reaches the caller', () => {
    const far = puppet(() => void far.end(new ConnectionClosed({ message: 'it died' })));
    const { seen } = dial(far.channel);
    expect(seen.error).toBeInstanceOf(ConnectionClosed);
    expect(methodsOf(far.sent)).toEqual(['server/discover', 'initialize']);
  });

  it('is not made where one era only is wanted (VER-09, VER-27, LIFE-03)', () => {
    const far = puppet((asked) =>
      asked['method'] === 'initialize' ? result(asked, shaken('2025-03-26')) : error(asked, -32601),
    );
    const legacy = dial(far.channel, { revisions: ['2024-11-05', '2025-03-26'] });
    expect(methodsOf(far.sent)).toEqual(['initialize', 'notifications/initialized']);
    expect(far.sent[0]).toMatchObject({ params: { protocolVersion: '2025-03-26' } });
    legacy.close();
    const modern = dial(far.channel, { revisions: ['2026-07-28'] });
    expect(methodsOf(far.sent.slice(2))).toEqual(['server/discover']);
    expect(modern.seen.error).toBeInstanceOf(NoCommonRevision);
  });
});

describe('the handshake', () => {
  it.each(['2023-01-01', '2026-07-28', 5, undefined])(
    'ends where the server answers a version that we have not: %j (LIFE-07, AMB-21)',
    (version) => {
      const far = puppet((asked) =>
        asked['method'] === 'initialize' ? result(asked, shaken(version)) : error(asked, -32601),
      );
      const { seen } = dial(far.channel);
      expect(seen.error).toBeInstanceOf(NoCommonRevision);
      expect(far.open).toBe(0);
      expect(methodsOf(far.sent)).not.toContain('notifications/initialized');
    },
  );

  it('takes a lower version than it asked for, if it may (LIFE-22)', () => {
    const far = puppet((asked) =>
      asked['method'] === 'initialize' ? result(asked, shaken('2024-11-05')) : error(asked, -32601),
    );
    const willing = dial(far.channel);
    expect(willing.seen.client?.revision).toBe('2024-11-05');
    willing.close();
    expect(dial(far.channel, { revisions: ['2025-11-25'] }).seen.error).toBeInstanceOf(NoCommonRevision);
  });

  it.each([{ protocolVersion: '2025-11-25' }, { ...shaken('2025-11-25'), serverInfo: [] }])(
    'ends where the answer is none: %j (LIFE-04)',
    (answer) => {
      const far = puppet((asked) => (asked['method'] === 'initialize' ? result(asked, answer) : error(asked, -32601)));
      expect(dial(far.channel).seen.error).toMatchObject({ _tag: 'InvalidAnswer' });
      expect(far.open).toBe(0);
    },
  );

  it('does not wait for ever, and does not cancel it (LIFE-14, LIFE-16)', () => {
    const far = puppet((asked) => (asked['method'] === 'server/discover' ? error(asked, -32601) : undefined));
    const { seen } = dial(far.channel, { handshakeMs: 1000 });
    vi.advanceTimersByTime(1000);
    expect(seen.error).toBeInstanceOf(TimedOut);
    expect(methodsOf(far.sent)).toEqual(['server/discover', 'initialize']);
    expect(far.open).toBe(0);
  });

  it('may be left at any moment, and leaves nothing', () => {
    const far = puppet();
    const { close, seen } = dial(far.channel);
    close();
    expect(far.open).toBe(0);
    expect(seen).toEqual({});
    expect(methodsOf(far.sent)).toEqual(['server/discover']);
  });

  it('an error says which supported versions there were (BR-10)', () => {
    const far = puppet((asked) => error(asked, -32602, { supported: ['2030-01-01'], requested: 'x' }));
    expect(dial(far.channel).seen.error).toMatchObject({
      _tag: 'NoCommonRevision',
      supported: ['2030-01-01'],
      message: expect.stringContaining('2030-01-01') as string,
    });
  });

  it.each([
    [['2026-07-28'], 'NoCommonRevision'],
    [[], 'NoCommonRevision'],
    ['nonsense', 'InvalidAnswer'],
  ])('a discovery that supports none of ours is no connection: %j', (versions, tag) => {
    const far = puppet((asked) =>
      asked['method'] === 'server/discover'
        ? result(asked, { ...discovered([]), supportedVersions: versions })
        : undefined,
    );
    const { seen } = dial(far.channel, { revisions: ['draft'] });
    expect(seen.error).toMatchObject({ _tag: tag });
    expect(far.open).toBe(0);
  });
});

describe('a legacy server that asks something', () => {
  const legacyServer = (then: (asked: Said) => unknown = () => undefined) =>
    puppet((asked) => {
      if (asked['method'] === 'initialize')
        return [{ jsonrpc: '2.0', id: 'early', method: 'ping' }, result(asked, shaken('2025-11-25'))];
      return asked['method'] === 'server/discover' ? error(asked, -32601) : then(asked);
    });

  it('has its ping answered, even before it has answered us (PING-01, PING-05)', () => {
    const far = legacyServer();
    const { close } = dial(far.channel);
    far.say({ jsonrpc: '2.0', id: 0, method: 'ping' });
    expect(far.sent).toContainEqual({ jsonrpc: '2.0', id: 'early', result: {} });
    expect(far.sent).toContainEqual({ jsonrpc: '2.0', id: 0, result: {} });
    close();
  });

  it('is told what we cannot do, or is answered by what can (CAP-04)', () => {
    const far = legacyServer();
    const { close } = dial(far.channel, {
      answers: { roots: [] },
    });
    far.say({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
    expect(far.sent.at(-1)).toEqual({ jsonrpc: '2.0', id: 1, result: { roots: [] } });
    close();
    const other = legacyServer();
    const without = dial(other.channel);
    other.say({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
    expect(other.sent.at(-1)).toMatchObject({ id: 1, error: { code: -32601 } });
    without.close();
  });

  it('stops our work by cancelling, and by leaving', () => {
    const ledger = createLedger();
    const far = legacyServer();
    const { close } = dial(far.channel, { answers: { roots: NEVER.pipe(ledger.watch('local')) } });
    for (const id of [1, 2]) far.say({ jsonrpc: '2.0', id, method: 'roots/list' });
    far.say({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 1 } });
    expect(ledger.live).toEqual({ local: 1 });
    close();
    expect(ledger.live).toEqual({});
  });

  it('is not answered at all where it claims to be of 2026-07-28 (RPC-24, RPC-25)', () => {
    const far = puppet((asked) => result(asked, discovered(['2026-07-28'])));
    const { close } = dial(far.channel);
    far.say({ jsonrpc: '2.0', id: 1, method: 'ping' });
    far.say({ jsonrpc: '1.0', id: 2, method: 'ping' });
    expect(far.sent).toHaveLength(1);
    close();
  });
});

describe('the verdict', () => {
  const info = { name: 's', version: '1' };
  const plain = server(
    info,
    tool('t', {}, () => 'x'),
  );

  it.each([
    [['2025-11-25'], ['initialize', 'notifications/initialized']],
    [['2026-07-28'], ['server/discover']],
  ] as const)('is remembered: a server of %j is asked in its own era the second time (VER-30)', (served, opening) => {
    const wire = tap(inMemory(plain, { revisions: served }));
    const connection = connect(wire);
    let clients = 0;
    connection.subscribe(() => (clients += 1)).unsubscribe();
    const { length } = wire.overheard;
    connection.subscribe(() => (clients += 1)).unsubscribe();
    const second = wire.overheard.slice(length).filter(({ way }) => way === 'out');
    expect(methodsOf(second.map(({ message }) => message))).toEqual(opening);
    expect(clients).toBe(2);
    expect(wire.open).toBe(0);
  });

  it('is given up when it has gone stale, whichever way (VER-31)', () => {
    let served: readonly Revision[] = ['2025-11-25'];
    const changing: Channel = (outbound) => inMemory(plain, { revisions: served })(outbound);
    const connection = connect(changing);
    const revisions: unknown[] = [];
    const errors: unknown[] = [];
    const once = (): void =>
      connection
        .subscribe({
          next: ({ revision }) => revisions.push(revision),
          error: (failure: unknown) => errors.push(failure),
        })
        .unsubscribe();
    once();
    served = ['2026-07-28'];
    once();
    once();
    expect(revisions).toEqual(['2025-11-25', '2026-07-28']);
    // The one that found out: what failed was not ours to guess.
    expect(errors).toEqual([expect.any(NoCommonRevision)]);
    served = ['2024-11-05'];
    once();
    expect(revisions.at(-1)).toBe('2024-11-05');
  });

  it('does not outlive the connection: its end completes the client, its break fails it', () => {
    const far = puppet((asked) => result(asked, discovered(['2026-07-28'])));
    const ended = dial(far.channel);
    far.end();
    expect(ended.seen).toMatchObject({ complete: true });
    const broken = dial(far.channel);
    const failure = new ConnectionClosed({ message: 'the cable was cut' });
    far.end(failure);
    expect(broken.seen.error).toBe(failure);
  });
});
