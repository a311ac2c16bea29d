/** Who gets to see what somebody proves themselves with: advisories of other implementations. */
import { log, middleware, open, remote, Schema, server, tool, type JsonObject, type OpenClient } from 'rxmcp';
import { authorize, jwks, memoryTokens, oauth, type AuthorizeOptions } from 'rxmcp/auth';
import { of, throwError } from 'rxjs';
import { afterEach, describe, expect, it } from 'vitest';
import { fakeAs, json, loggedIn, refusal, server as far, somebody, stepsOf } from '../auth/fake-as.ts';
import { issuer, keySet, resource, sign } from '../auth/resource/issuer.ts';
import { send, start } from '../node/peers.ts';
import { call, headersOf, initialize, modernized, notice, request } from '../transport/http/desk.ts';
import { revealed } from './auth-doors.ts';

const clients: OpenClient[] = [];
afterEach(() => Promise.all(clients.splice(0).map((client) => client.close())));

const id = 'transport Authorization header leaking downstream';

/** A server on a socket that keeps all that its handlers and middleware can see. */
const watched = async (options: Partial<AuthorizeOptions> = {}) => {
  const seen: unknown[] = [];
  const made = server(
    { name: 'house', version: '1' },
    tool('look', { input: Schema.Struct({}) }, (given, asked) => {
      seen.push(given, asked);
      return of(log('info', 'looking'), 'seen');
    }),
    tool('fail', { input: Schema.Struct({}) }, (_, asked) => {
      seen.push(asked);
      throw new Error(`it failed for ${String(asked.principal)}`);
    }),
  );
  const watching = middleware((next) => (asked, context) => {
    seen.push(asked, context);
    return asked.method === 'tools/list' ? throwError(() => new Error('it is broken')) : next(asked, context);
  });
  const protect = authorize({ resource, verify: jwks({ issuer, keys: keySet }), ...options });
  const running = await start(protect(watching(made)));
  return { seen, ...running };
};

describe(`${id}: a server`, () => {
  it.each(['2026-07-28', '2025-11-25'])(
    `${id}: shows nobody behind the door what has come with a request, at %s`,
    async (revision) => {
      const { seen, port, events } = await watched();
      const token = await sign({ jti: 'a-name-for-it' });
      const [, payload = '', signature = ''] = token.split('.');
      const proofs = { authorization: `Bearer ${token}`, cookie: 'a-cookie-of-hers', 'x-other': 'may be seen' };
      const answers: unknown[] = [];
      const ask = async (frame: JsonObject, headers = {}) => {
        const answer = await send(port, { body: frame, headers: { ...proofs, ...headers } });
        answers.push(answer);
        return answer;
      };
      const calls = [
        call(1, 'look'),
        call(2, 'fail'),
        call(3, 'nobody'),
        request(4, 'no/such'),
        request(5, 'tools/list'),
      ];
      if (revision === '2026-07-28') for (const frame of calls.map(modernized)) await ask(frame, headersOf(frame));
      else {
        const opened = await ask(initialize(revision));
        const session = {
          'mcp-session-id': String(opened.headers['mcp-session-id']),
          'mcp-protocol-version': revision,
        };
        await ask(notice('notifications/initialized'), session);
        for (const frame of calls) await ask(frame, session);
      }
      await send(port, { body: 'no JSON', headers: proofs });
      await send(port, { body: modernized(call(1, 'look')), headers: { authorization: `Bearer ${token}x` } });

      const text = revealed(seen);
      // What may be seen is: else this would find nothing at all.
      for (const known of ['ada', 'a-name-for-it', 'may be seen']) expect(text).toContain(known);
      for (const where of [text, revealed(events), revealed(answers)])
        for (const secret of [token, payload, signature, 'a-cookie-of-hers']) expect(where).not.toContain(secret);
      expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['failure', 'malformed']));
    },
  );

  it(`${id}: tells nobody of it where it cannot be judged`, async () => {
    const failures: unknown[] = [];
    const { seen, port, events } = await watched({
      verify: {
        issuers: [issuer],
        verify: (token) => Promise.resolve({ refused: `I do not know ${token}` }),
      },
      onFailure: (error) => failures.push(error),
    });
    const token = await sign();
    const frame = modernized(call(1, 'look'));
    const answer = await send(port, {
      body: frame,
      headers: { ...headersOf(frame), authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(401);
    expect(seen).toEqual([]);
    expect(revealed([answer, events, failures])).not.toContain(token);
  });
});

describe(`${id}: a client`, () => {
  const secrets = ['access-token-0', 'access-token-1', 'refresh-of-hers', 'code-of-hers', 'secret-of-ours'];
  const known = { clientId: 'app', clientSecret: 'secret-of-ours' };
  const back = (page: URL) => ({ ...loggedIn(page), code: 'code-of-hers' });

  /** Goes through a login and a call, and gathers all that anybody is told. */
  const gathered = async (options: Parameters<typeof fakeAs>[0], spoil: (as: ReturnType<typeof fakeAs>) => void) => {
    const as = fakeAs({ granted: { refresh_token: 'refresh-of-hers' }, ...options });
    const store = memoryTokens();
    const auth = oauth({ callback: somebody(back).callback, store, client: { known } });
    const steps = stepsOf(auth);
    const told: unknown[] = [steps];
    try {
      const client = await open(remote(far, { auth, carrier: as.carrier }), { revisions: ['2026-07-28'] });
      clients.push(client);
      spoil(as);
      told.push(await client.callTool('echo', { message: 'x' }));
    } catch (error) {
      told.push(error);
    }
    const kept = as.asked.map(({ parameters }) => parameters['code_verifier']).filter((each) => each !== undefined);
    return { text: revealed(told), steps, kept, as };
  };
  const nothing = (): void => undefined;

  it.each<[string, Parameters<typeof fakeAs>[0], (as: ReturnType<typeof fakeAs>) => void]>([
    ['goes well', {}, nothing],
    ['is renewed', {}, (as) => as.withdraw()],
    ['gets no token', { token: () => refusal('invalid_grant') }, nothing],
    ['gets what is no token', { token: () => json({ access_token: 7, refresh_token: 'refresh-of-hers' }) }, nothing],
    ['gets a page', { token: () => ({ status: 500, body: '<p>code-of-hers, secret-of-ours</p>' }) }, nothing],
    ['gets a token of no kind', { granted: { token_type: 'access-token-0' } }, nothing],
    ['is refused at once', { judge: () => ({ status: 401, headers: { 'www-authenticate': 'Bearer' } }) }, nothing],
    [
      'is refused for want of scopes',
      {
        judge: () => ({ status: 403, headers: { 'www-authenticate': 'Bearer error="insufficient_scope", scope="a"' } }),
      },
      nothing,
    ],
  ])(`${id}: tells nobody what only the server is to know, when a login %s`, async (_, options, spoil) => {
    const { text, steps, kept } = await gathered(options, spoil);
    expect(steps.map(({ kind }) => kind)).toContain('visit');
    for (const secret of [...secrets, ...kept]) expect(text).not.toContain(secret);
  });

  it.each<[string, Parameters<typeof fakeAs>[0]]>([
    [
      'an authorization server',
      {
        token: ({ parameters, headers }) =>
          refusal('invalid_grant', `${JSON.stringify(parameters)} ${headers['authorization'] ?? ''}`),
      },
    ],
    [
      'a server, in its challenge,',
      {
        judge: ({ headers }) => ({
          status: 401,
          headers: {
            'www-authenticate': `Bearer error="invalid_token", error_description="${headers['authorization'] ?? ''}"`,
          },
        }),
      },
    ],
  ])(`${id}: nor what %s repeats of what it was sent`, async (_, options) => {
    const { text, kept } = await gathered(options, nothing);
    const basic = Buffer.from('app:secret-of-ours').toString('base64');
    for (const secret of [...secrets, ...kept, basic]) expect(text).not.toContain(secret);
  });
});
