import { NEVER } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { server, tool } from 'rxmcp';
import { createLedger } from '../../../lib/testing/index.ts';
import { mount, type MountOptions } from '../../../lib/transport/http/mount.ts';
import type { HttpHeaders } from '../../../lib/transport/http/message.ts';
import { both, call, headersOf, initialize, modernized, request } from './desk.ts';
import { fakeReply } from './fake-reply.ts';

const hour = 3_600_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  const left = vi.getTimerCount();
  vi.useRealTimers();
  expect(left).toBe(0);
});

const house = (options: MountOptions) => {
  const ledger = createLedger();
  const { endpoint, close } = mount(
    server(
      { name: 'house', version: '1' },
      tool('hang', {}, () => NEVER.pipe(ledger.watch('hang'))),
    ),
    options,
  );
  const post = (body: object, headers: HttpHeaders) => {
    const reply = fakeReply();
    const asked = { host: '127.0.0.1', 'content-type': 'application/json', accept: both, ...headers };
    endpoint.handle({ method: 'POST', headers: asked }, JSON.stringify(body), reply);
    return reply;
  };
  const hang = () => {
    const frame = modernized(call(1, 'hang'));
    return post(frame, headersOf(frame));
  };
  return { endpoint, close, ledger, post, hang };
};

describe.each([Infinity, 2 ** 31, 40 * 24 * hour])(
  '%d ms is longer than a timer can wait, and no reason to hurry',
  (ms) => {
    it('with signs of life', async () => {
      const { endpoint, hang } = house({ keepAliveMs: ms });
      const reply = hang();
      await vi.advanceTimersByTimeAsync(hour);
      expect(reply.state).toBe('waiting');
      endpoint.close();
    });

    it('with looking for idle sessions', async () => {
      const { endpoint, post } = house({ sessions: { ttlMs: ms * 10 }, keepAliveMs: 10 * hour });
      const headers = { 'mcp-session-id': post(initialize(), {}).headers['mcp-session-id'] };
      const timers = vi.spyOn(globalThis, 'setInterval');
      const looks = timers.mock.calls.length;
      await vi.advanceTimersByTimeAsync(hour);
      expect(timers.mock.calls.length).toBe(looks);
      expect(post(request(1, 'ping'), headers).status).toBe(200);
      timers.mockRestore();
      endpoint.close();
    });

    it('with what is under way when the server ends', async () => {
      const { close, ledger, hang, endpoint } = house({ drainMs: ms, keepAliveMs: 10 * hour });
      hang();
      let closed = false;
      const closing = close().then(() => (closed = true));
      await vi.advanceTimersByTimeAsync(60_000);
      expect([closed, ledger.live]).toEqual([false, { hang: 1 }]);
      endpoint.close();
      await vi.advanceTimersByTimeAsync(60_000);
      await closing;
      expect([closed, ledger.live]).toEqual([true, {}]);
    });
  },
);
