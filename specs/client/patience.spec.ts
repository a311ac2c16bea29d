import { inMemory, InvalidAnswer, open, revisions, server, TimedOut, tool, type Exchange } from 'rxmcp';
import { firstValueFrom, lastValueFrom, NEVER, of, retry, toArray } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const info = { name: 'slow', version: '1' };
const discovered = { resultType: 'complete', supportedVersions: ['2026-07-28'], ttlMs: 0, cacheScope: 'private' };

describe('what does not end', () => {
  it.each(revisions)('a call that is tried again is under its time limits again (%s)', async (revision) => {
    const client = await open(
      inMemory(
        server(
          info,
          tool('never', {}, () => NEVER),
        ),
      ),
      { revisions: [revision] },
    );
    const failed = lastValueFrom(client.call('never', {}, { idleMs: 50 }).pipe(retry(2))).catch(
      (error: unknown) => error,
    );
    await vi.advanceTimersByTimeAsync(150);
    expect(await failed).toBeInstanceOf(TimedOut);
    await client.close();
  });

  it('a list whose cursor comes again is given up', async () => {
    const circle: Exchange = ({ method }) =>
      of({
        result:
          method === 'server/discover'
            ? { ...discovered, capabilities: { tools: {} } }
            : { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [], nextCursor: 'again' },
      });
    const client = await open(inMemory(circle));
    await expect(lastValueFrom(client.listTools().pipe(toArray()))).rejects.toBeInstanceOf(InvalidAnswer);
    await client.close();
  });

  it('a list is looked at though its server never says that it listens', async () => {
    const deaf: Exchange = ({ method }) => {
      if (method === 'server/discover')
        return of({ result: { ...discovered, capabilities: { tools: { listChanged: true } } } });
      return method === 'tools/list'
        ? of({ result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', tools: [] } })
        : NEVER;
    };
    const client = await open(inMemory(deaf));
    const tools = firstValueFrom(client.tools$);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await tools).toEqual([]);
    await client.close();
  });
});
