/** Many clients at once that leave, hurry, or take their time, on real sockets. */
import { once } from 'node:events';
import { NEVER, Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { log, progress, server, tool, type JsonObject, type Notice } from '../../lib/index.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { call, headersOf, holds, initialize, modernized, turn } from '../transport/http/desk.ts';
import { dial, heard, heldBytes, send, start, written } from './peers.ts';

const mebi = 1024 * 1024;
const info = { name: 'house', version: '1' };
const post = (frame: JsonObject): string => {
  const whole = modernized(frame);
  return written(JSON.stringify(whole), headersOf(whole));
};

const house = () => {
  const ledger = createLedger();
  const exchange = server(
    info,
    tool('echo', {}, () => 'hi'),
    tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
    tool('large', {}, () => 'x'.repeat(16 * mebi)),
  );
  return { ledger, exchange };
};

describe('1,000 clients that leave in the middle of a call', () => {
  /** Calls that hang, each over a connection of its own, which is then cut. */
  const crowd = async (port: number, texts: readonly string[], there: () => boolean): Promise<void> => {
    const sockets = await Promise.all(texts.map(() => dial(port)));
    for (const [index, socket] of sockets.entries()) socket.write(texts[index] ?? '');
    await holds(there);
    for (const socket of sockets) socket.destroy();
  };

  it('of 2026-07-28 leave nothing: handlers are torn down, memory comes back (HTTP26-21)', async () => {
    const { ledger, exchange } = house();
    const { port } = await start(exchange);
    const wave = async (): Promise<void> => {
      await crowd(
        port,
        Array.from({ length: 250 }, (_, id) => post(call(id, 'hang'))),
        () => ledger.live['hang'] === 250,
      );
      await ledger.idle();
      ledger.forget();
    };
    await wave();
    const before = heldBytes();
    for (let round = 0; round < 4; round += 1) await wave();
    expect(ledger.live).toEqual({});
    await holds(() => heldBytes() - before < 4 * mebi);
    expect((await send(port, { body: modernized(call(1, 'echo')), headers: headersOf(call(1, 'echo')) })).status).toBe(
      200,
    );
  });

  it('in sessions have not cancelled; what goes on ends with their sessions, and memory comes back (SHTTP-26)', async () => {
    const { ledger, exchange } = house();
    const { port, stop } = await start(exchange);
    const before = heldBytes();
    const opened = await Promise.all(Array.from({ length: 1000 }, () => send(port, { body: initialize() })));
    const ids = opened.map(({ headers }) => String(headers['mcp-session-id']));
    for (let from = 0; from < 1000; from += 250)
      await crowd(
        port,
        ids.slice(from, from + 250).map((id) => written(JSON.stringify(call(1, 'hang')), { 'mcp-session-id': id })),
        () => ledger.live['hang'] === from + 250,
      );
    for (const id of ids.slice(0, 500)) await send(port, { method: 'DELETE', headers: { 'mcp-session-id': id } });
    expect(ledger.live).toEqual({ hang: 500 });
    stop();
    expect(ledger.live).toEqual({});
    ledger.forget();
    opened.length = 0;
    // Node lets go of its own some turns later.
    await holds(() => heldBytes() - before < 8 * mebi);
  });
});

describe('10,000 requests over one connection, one right behind the other', () => {
  it('are answered in order', async () => {
    const { exchange } = house();
    const { port } = await start(exchange);
    const socket = await dial(port);
    const answers = heard(socket);
    for (let id = 0; id < 10_000; id += 100) {
      const texts = Array.from({ length: 100 }, (_, more) => post(call(id + more, 'echo')));
      if (!socket.write(texts.join(''))) await once(socket, 'drain');
    }
    socket.end();
    const ids = [...(await answers).matchAll(/"id":(\d+)/g)].map(([, id]) => Number(id));
    expect(ids).toEqual(Array.from({ length: 10_000 }, (_, id) => id));
  });

  it('leave nothing when the connection is cut, though Node tells only the first of it', async () => {
    const { ledger, exchange } = house();
    const { port } = await start(exchange);
    const before = heldBytes();
    const socket = await dial(port);
    const text = post(call(1, 'hang'));
    for (let round = 0; round < 100; round += 1) if (!socket.write(text.repeat(100))) await once(socket, 'drain');
    await holds(() => ledger.live['hang'] === 10_000);
    socket.destroy();
    await ledger.idle();
    ledger.forget();
    await holds(() => heldBytes() - before < 8 * mebi);
  });
});

/** Ends of connections that are open in this process. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

describe('a client that reads nothing', () => {
  const flowing = async (maxQueuedBytes: number) => {
    const words = new Subject<string | Notice>();
    const ledger = createLedger();
    const { port } = await start(
      server(
        info,
        tool('work', {}, () => words.pipe(ledger.watch('work'))),
      ),
      { maxQueuedBytes },
    );
    const socket = await dial(port);
    socket.pause().write(post(call(1, 'work', {}, { _meta: { progressToken: 't', [metaKeys.logLevel]: 'debug' } })));
    await holds(() => ledger.live['work'] === 1);
    return { words, ledger, socket };
  };

  it('costs bounded memory: progress becomes one, the result is not lost', async () => {
    const { words, socket } = await flowing(32 * mebi);
    // Until the system takes no more of it.
    for (let line = 0; line < 8; line += 1) words.next(log('info', 'x'.repeat(mebi)));
    await turn();
    const before = heldBytes();
    for (let step = 1; step <= 50_000; step += 1) words.next(progress(step, undefined, 'y'.repeat(100)));
    expect(heldBytes() - before).toBeLessThan(2 * mebi);
    words.next('done');
    words.complete();
    const all = heard(socket.resume());
    socket.end();
    const text = await all;
    expect([...text.matchAll(/"progress":(\d+)/g)].map(([, step]) => Number(step)).at(-1)).toBe(50_000);
    expect([...text.matchAll(/"progress":/g)].length).toBeLessThan(100);
    expect([...text.matchAll(/"method":"notifications\/message"/g)]).toHaveLength(8);
    expect(text).toContain('"text":"done"');
  });

  it('is cut off at its bound, which ends the work', async () => {
    const { words, ledger } = await flowing(mebi);
    for (let line = 0; line < 64 && ledger.live['work'] === 1; line += 1) {
      words.next(log('info', 'x'.repeat(mebi)));
      await turn();
    }
    await ledger.idle();
    expect(ledger.entries).toEqual(['work unsubscribed']);
  });

  it('does not keep an answer that is complete for ever, either (stallMs)', async () => {
    const { exchange } = house();
    const { port } = await start(exchange, { stallMs: 100, keepAliveMs: 50 });
    const socket = await dial(port);
    await turn();
    const ends = sockets();
    socket.pause().write(post(call(1, 'large')));
    await holds(() => sockets() < ends);
    // What the system had taken can be read, and no more.
    let length = 0;
    const closed = once(socket, 'close');
    socket.on('data', (chunk) => (length += chunk.length)).resume();
    await closed;
    expect(length).toBeLessThan(16 * mebi);
  });

  it('is not who listens for long: the signs of life are read', async () => {
    const { ledger, exchange } = house();
    const { port } = await start(exchange, { stallMs: 400, keepAliveMs: 100 });
    const socket = await dial(port);
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk))).write(post(call(1, 'hang')));
    await holds(() => text.split('keep-alive').length > 12);
    expect(ledger.live).toEqual({ hang: 1 });
    socket.destroy();
    await ledger.idle();
  });
});

describe('a client that takes its time to ask', () => {
  it('is timed out, in its headers and in its body; so is one that asks nothing', async () => {
    const { exchange } = house();
    const { port } = await start(exchange, { headersMs: 100, requestMs: 200, idleMs: 100 });
    const slow = await Promise.all([dial(port), dial(port), dial(port)]);
    const [headers, body, idle] = slow.map(heard);
    slow[0]?.write('POST /mcp HTTP/1.1\r\nhost: localhost\r\n');
    slow[1]?.write(written('{', { 'content-length': '100' }));
    slow[2]?.write(post(call(1, 'echo')));
    // Byte by byte is no faster.
    const drip = setInterval(() => {
      slow[0]?.write('x: y\r\n');
      slow[1]?.write(' ');
    }, 100);
    const texts = await Promise.all([headers, body, idle]).finally(() => clearInterval(drip));
    expect(texts[0]).toMatch(/^HTTP\/1\.1 408 /);
    expect(texts[1]).toMatch(/^HTTP\/1\.1 408 /);
    expect(texts[2]).toMatch(/^HTTP\/1\.1 200 /);
  });
});
