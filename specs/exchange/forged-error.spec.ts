import { inMemory, open, RpcError, type Channel } from 'rxmcp';
import { filter, map } from 'rxjs';
import { expect, it } from 'vitest';

/** A server of 2025-11-25 whose errors hold more than an error may. */
const forger: Channel = (outbound) =>
  outbound.pipe(
    filter((frame) => 'id' in frame && 'method' in frame),
    map((frame) => {
      if (!('method' in frame) || !('id' in frame)) return undefined;
      const { id, method } = frame;
      if (method === 'initialize')
        return {
          jsonrpc: '2.0',
          id,
          result: {
            protocolVersion: '2025-11-25',
            capabilities: { tools: {} },
            serverInfo: { name: 'f', version: '1' },
          },
        };
      const error = { code: -1, message: 'no', toObject: 1, stack: 'forged', name: 'Forged', _tag: 'Forged' };
      return { jsonrpc: '2.0', id, error };
    }),
  );

it('takes from an error only what an error may hold, also through a proxy', async () => {
  const near = await open(forger, { revisions: ['2025-11-25'] });
  const far = await open(inMemory(near.exchange));
  for (const client of [near, far]) {
    const error: unknown = await client.callTool('any').catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(RpcError);
    expect(error).toMatchObject({ code: -1, message: 'no', _tag: 'RpcError', name: 'RpcError' });
    expect(String(error instanceof Error && error.stack)).not.toContain('forged');
  }
  await far.close();
  await near.close();
});
