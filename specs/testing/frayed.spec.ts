import { describe, expect, it } from 'vitest';
import { NEVER } from 'rxjs';
import { open, server, tool } from '../../lib/index.ts';
import { breaches, counted, createLedger, frayed, ownBreaches, tap, type Overheard } from '../../lib/testing/index.ts';

const setting = () => {
  const ledger = createLedger();
  const served = server(
    { name: 'frayed', version: '1.0.0' },
    tool('echo', {}, () => 'echo'),
    tool('endless', {}, () => NEVER.pipe(ledger.watch('endless'))),
  );
  const way = frayed(counted(ledger)(served), { drainMs: 0 });
  return { ledger, way };
};

const revisions = ['2026-07-28'] as const;

describe('a frayed way', () => {
  it('holds what goes in, and lets it go on in order', async () => {
    const { way } = setting();
    const client = await open(way.channel, { revisions });
    way.hold('in');
    const heard: string[] = [];
    const calls = ['a', 'b'].map((name) => client.callTool('echo', {}).then(() => heard.push(name)));
    await Promise.resolve();
    expect(way.waits('in')).toBe(true);
    way.release('in', 1);
    await calls[0];
    expect(heard).toEqual(['a']);
    way.release('in');
    await Promise.all(calls);
    expect(heard).toEqual(['a', 'b']);
    await client.close();
    expect(way.serving).toBe(0);
  });

  it('repeats the next frame, once', async () => {
    const { way } = setting();
    const near = tap(way.channel);
    const client = await open(near, { revisions });
    way.repeat('in');
    await client.callTool('echo', {});
    await client.callTool('echo', {});
    expect(breaches(near.overheard)).toEqual([expect.stringContaining('a second answer (RPC-08)')]);
    expect(way.ends.flatMap((end) => ownBreaches(end.overheard))).toEqual([]);
    await client.close();
  });

  it.each(['client', 'server'] as const)('breaks for the %s, now or later, and closes for the other', async (side) => {
    const { way, ledger } = setting();
    const client = await open(way.channel, { revisions });
    const call = client.callTool('endless', {});
    expect(ledger.live).toMatchObject({ endless: 1, 'tools/call': 1 });
    // One request and its answer still pass.
    way.cut(side, 3);
    await client.callTool('echo', {});
    expect(way.serving).toBe(1);
    const late = client.callTool('echo', {});
    const why = side === 'client' ? 'the link was cut' : 'the far side closed the connection';
    await expect(call).rejects.toThrow(why);
    await expect(late).rejects.toThrow(why);
    expect(way.serving).toBe(0);
    expect(ledger.live).toEqual({});
    expect(way.events.at(-1)).toMatchObject({ type: 'disconnected' });
    expect('error' in (way.events.at(-1) ?? {})).toBe(side === 'server');
  });

  it('lets the server leave', async () => {
    const { way } = setting();
    const client = await open(way.channel, { revisions });
    way.leave();
    await client.closed;
    expect(way.serving).toBe(0);
  });
});

describe('what one end has said', () => {
  const heard = (message: object): Overheard => ({ way: 'in', message: { jsonrpc: '2.0', ...message } });
  const said = (message: object): Overheard => ({ way: 'out', message: { jsonrpc: '2.0', ...message } });
  const cancelled = { method: 'notifications/cancelled', params: { requestId: 1 } };

  it('may not answer what it has heard to be cancelled (CAN-10)', () => {
    const talk = [heard({ id: 1, method: 'ping' }), heard(cancelled), said({ id: 1, result: {} })];
    expect(ownBreaches(talk)).toEqual([expect.stringContaining('an answer to what was cancelled (CAN-10)')]);
    // Seen from between the two, they may have crossed.
    expect(breaches(talk)).toEqual([]);
  });

  it('may not be blamed for what it hears twice', () => {
    const talk = [heard({ id: 1, method: 'ping' }), said({ id: 1, result: {} })];
    expect(ownBreaches([...talk, ...talk])).toEqual([]);
    expect(breaches([...talk, ...talk])).toHaveLength(1);
  });
});
