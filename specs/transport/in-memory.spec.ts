import { BehaviorSubject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { connect, inMemory, open, server, tool, tools } from '../../lib/index.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

describe('a server in this process', () => {
  const ledger = createLedger();
  const list$ = new BehaviorSubject([tool('a', {}, () => 'x')]);
  const made = server({ name: 's', version: '1' }, tools(list$.pipe(ledger.watch('list'))));

  it('is connected to anew by each subscription, and left without a trace', async () => {
    const target = inMemory(made);
    expect(ledger.live).toEqual({});
    const [one, two] = [await open(target), await open(target)];
    expect(ledger.live).toEqual({ list: 1 });
    await one.close();
    expect(await two.callTool('a', {})).toMatchObject({ content: [{ text: 'x' }] });
    await two.close();
    expect(ledger.live).toEqual({});
  });

  it('serves what its door is told to', () => {
    const revisions: unknown[] = [];
    connect(inMemory(made, { revisions: ['2025-03-26'] }))
      .subscribe(({ revision }) => revisions.push(revision))
      .unsubscribe();
    expect(revisions).toEqual(['2025-03-26']);
    expect(ledger.live).toEqual({});
  });

  it('tells its client when it breaks off', async () => {
    const client = await open(inMemory(made));
    await client.close();
    await expect(client.closed).resolves.toBeUndefined();
    expect(list$.observed).toBe(false);
  });
});
