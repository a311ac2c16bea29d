/** What the session of somebody else is worth to whoever has a token of their own: advisories of other implementations. */
import { Subject } from 'rxjs';
import { log, Schema, server, tool, type JsonObject, type Notice } from 'rxmcp';
import { jwks } from 'rxmcp/auth';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { claimsNow, issuer, keys, keySet, seconds, sign } from '../auth/resource/issuer.ts';
import { call, holds, notice, request, turn } from '../transport/http/desk.ts';
import { doors } from './auth-doors.ts';

afterEach(() => {
  vi.useRealTimers();
});

const info = { name: 'house', version: '1' };

const house = () => {
  const said = new Subject<string | Notice>();
  const whisper = tool('whisper', { input: Schema.Struct({}) }, () => said);
  return {
    said,
    served: server(
      info,
      whisper,
      tool('who', {}, (_, { principal }) => principal ?? 'nobody'),
    ),
  };
};

/** All that an outsider could compare. */
const seen = async (answer: Response) => ({
  status: answer.status,
  headers: Object.fromEntries(answer.headers),
  text: await answer.text(),
});

/** What a stream says up to and with this. */
const heard = async (answer: Response, last: string) => {
  const reader = answer.body?.getReader();
  const decoder = new TextDecoder();
  let text = '';
  while (!text.includes(last)) {
    const piece = await reader?.read();
    if (piece?.value === undefined) throw new Error(`the stream has ended: ${text}`);
    text += decoder.decode(piece.value, { stream: true });
  }
  return { text, leave: () => reader?.cancel() };
};

describe.each(['CVE-2026-52869', 'CVE-2026-67431', 'CVE-2026-33946'])(
  "%s: with a token of one's own, another's session is worth nothing (SEC-12, SEC-13)",
  (id) => {
    it(`${id}: POST, GET, resumption and DELETE are answered as for an id that nobody has`, async () => {
      const { said, served } = house();
      const { post, listen, remove, session } = doors(served);
      const [ann, bob] = [await sign({ sub: 'ann' }), await sign({ sub: 'bob' })];
      const own = await session(ann);
      const asking = post(ann, call(1, 'whisper'), own);
      await holds(() => said.observed);
      said.next(log('info', 'for ann'));
      const stream = await heard(await asking, 'for ann');
      const [, at = ''] = /^id: (.+)$/m.exec(stream.text) ?? [];
      expect(at).not.toBe('');

      for (const headers of [own, { ...own, 'last-event-id': at }]) {
        const unknown = { ...headers, 'mcp-session-id': crypto.randomUUID() };
        for (const ask of [
          (with_: typeof own) => post(bob, request(2, 'ping'), with_),
          (with_: typeof own) => post(bob, call(2, 'who'), with_),
          (with_: typeof own) => post(bob, notice('notifications/cancelled', { requestId: 1 }), with_),
          (with_: typeof own) => post(bob, { jsonrpc: '2.0', id: 1, result: {} }, with_),
          (with_: typeof own) => listen(bob, with_),
          (with_: typeof own) => remove(bob, with_),
        ]) {
          const stolen = await seen(await ask(headers));
          expect(stolen.status).toBe(404);
          expect(stolen).toEqual(await seen(await ask(unknown)));
        }
      }

      // Ann's goes on, and she may take it up again.
      await stream.leave();
      said.next(log('info', 'more for ann'));
      await turn();
      const resumed = await listen(ann, { ...own, 'last-event-id': at });
      const more = await heard(resumed, 'more for ann');
      expect(more.text).not.toContain('whisper');
      await more.leave();
      expect((await post(ann, request(3, 'ping'), own)).status).toBe(200);
    });

    it.each<[string, JsonObject, number]>([
      ['no subject, but the same application', { sub: undefined }, 404],
      ['a subject that is called as an application is', { sub: 'client app' }, 404],
      ['her name in capitals', { sub: 'ANN' }, 404],
      ['her name with a blank', { sub: 'ann ' }, 404],
      ['her name, once it has expired', { sub: 'ann', exp: seconds() - 1 }, 401],
      ['her name, for another resource', { sub: 'ann', aud: 'https://other.example/mcp' }, 401],
    ])(`${id}: nor with a token that has %s`, async (_, claims, status) => {
      const { post, listen, remove, session } = doors(house().served);
      const own = await session(await sign({ sub: 'ann' }));
      const other = await sign(claims);
      for (const answer of [
        await post(other, request(2, 'ping'), own),
        await listen(other, own),
        await remove(other, own),
        await post(undefined, request(2, 'ping'), own).then((bare) => ({ status: bare.status === 401 ? status : 0 })),
      ])
        expect(answer.status).toBe(status);
      // Another token of hers is hers.
      const renewed = await post(await sign({ sub: 'ann', jti: 'two' }), call(3, 'who'), own);
      expect(await renewed.text()).toContain('ann');
    });

    it(`${id}: nor with her name from another issuer`, async () => {
      const other = 'https://other.example';
      const network = (url: string): Promise<Response> => {
        const { origin } = new URL(url);
        const at = { issuer: origin, jwks_uri: `${origin}/keys` };
        return Promise.resolve(Response.json(url.endsWith('/keys') ? keySet : at));
      };
      const verify = jwks({ issuer: [issuer, other], fetch: network });
      const { post, listen, remove, session } = doors(house().served, { verify });
      const own = await session(await sign({ sub: 'ann' }));
      const stranger = await sign({ ...claimsNow(), sub: 'ann', iss: other }, {}, keys);
      expect((await post(stranger, request(1, 'ping'), {})).status).toBe(400);
      for (const answer of [
        await post(stranger, request(2, 'ping'), own),
        await listen(stranger, own),
        await remove(stranger, own),
      ])
        expect(answer.status).toBe(404);
    });

    it(`${id}: nor does it let its owner in who has no token any more`, async () => {
      vi.useFakeTimers({ toFake: ['Date'] });
      const { post, listen, remove, session } = doors(house().served);
      const ann = await sign({ sub: 'ann', exp: seconds() + 60 });
      const own = await session(ann);
      expect((await post(ann, request(1, 'ping'), own)).status).toBe(200);
      vi.setSystemTime(Date.now() + 61_000);
      for (const answer of [await post(ann, request(2, 'ping'), own), await listen(ann, own), await remove(ann, own)])
        expect(answer.status).toBe(401);
    });
  },
);
