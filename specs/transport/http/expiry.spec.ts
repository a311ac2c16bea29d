/** Streams that outlast the proof they were opened with: nothing is said on them any more. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { server, tools, tool } from 'rxmcp';
import { BehaviorSubject } from 'rxjs';
import type { Guard } from '../../../lib/exchange/guard.ts';
import { toFetch } from '../../../lib/transport/http/to-fetch.ts';
import { both, headersOf, initialize, modernized, request } from './desk.ts';
import { as, fakeGuard, protect } from './fake-guard.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  expect(left).toBe(0);
});

const keepAliveMs = 1_000;

const open = () => {
  const list$ = new BehaviorSubject([tool('one', {}, () => '1')]);
  const house = server({ name: 'house', version: '1' }, tools(list$));
  let expiresAt = Date.now() + 10_000;
  const guard: Guard = {
    ...fakeGuard(),
    admit: () => ({ principal: 'ada', scopes: [], claims: {}, expiresAt }),
  };
  const handler = toFetch(protect(guard, house), { keepAliveMs, allowedHosts: ['mcp.example'], drainMs: 0 });
  const ask = (method: string, headers: Record<string, string>, body?: unknown): Promise<Response> =>
    handler(
      new Request('https://mcp.example/mcp', {
        method,
        headers: { ...as('ada'), 'content-type': 'application/json', accept: both, ...headers },
        ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
      }),
    );
  return { handler, ask, list$, renew: () => void (expiresAt = Date.now() + 10_000) };
};

/** What a stream has said, and whether it has ended. */
const followed = (response: Response) => {
  const heard = { text: '', ended: false };
  const read = async (): Promise<void> => {
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read())
      heard.text += part.value;
    heard.ended = true;
  };
  void read();
  return heard;
};

describe('a proof that has expired', () => {
  it('ends subscriptions in good order, so that whoever listens proves again who they are', async () => {
    const { ask, handler } = open();
    const frame = modernized(request(1, 'subscriptions/listen', { notifications: { toolsListChanged: true } }));
    const heard = followed(await ask('POST', headersOf(frame), frame));
    await vi.advanceTimersByTimeAsync(9_000);
    expect(heard.text).toContain('notifications/subscriptions/acknowledged');
    expect(heard.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(heard.ended).toBe(true);
    expect(heard.text).toMatch(/"id":1,"result":\{/);
    await handler.close();
  });

  it("ends a session's stream of what is said by itself, but not the session; a newer proof keeps it", async () => {
    const { ask, handler, renew } = open();
    const opened = await ask('POST', {}, initialize());
    await opened.body?.cancel();
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    const heard = followed(await ask('GET', session));
    await vi.advanceTimersByTimeAsync(9_000);
    renew();
    expect((await ask('POST', session, request(2, 'ping'))).status).toBe(200);
    await vi.advanceTimersByTimeAsync(9_000);
    expect(heard.ended).toBe(false);
    await vi.advanceTimersByTimeAsync(3_000);
    expect(heard.ended).toBe(true);
    renew();
    expect((await ask('POST', session, request(3, 'ping'))).status).toBe(200);
    await handler.close();
  });
});
