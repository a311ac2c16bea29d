import { lastValueFrom, NEVER } from 'rxjs';
import { describe, expect, it } from 'vitest';
import {
  ConnectionClosed,
  explain,
  InputRequired,
  InvalidAnswer,
  invalidParams,
  Misconfigured,
  NoCommonRevision,
  NotSupported,
  Refused,
  RpcError,
  server,
  TimedOut,
  tool,
} from 'rxmcp';
import { linked } from 'rxmcp/testing';

const weather = server(
  { name: 'weather', version: '1.2.3' },
  tool('silent', {}, () => NEVER),
  tool('wrong', {}, () => {
    throw invalidParams('city is unknown');
  }),
);

describe('an error of a call', () => {
  it('says what was being done, with which server and method, what went wrong and what to do', async () => {
    await using link = await linked(weather);
    const { client } = link;
    const failures = await Promise.all(
      [
        client.callTool('wrong'),
        client.callTool('silent', {}, { idleMs: 1 }),
        lastValueFrom(client.request('resources/read', { uri: 'file:///x' })),
      ].map((call) => call.catch((error: unknown) => explain(error))),
    );
    expect(failures).toEqual([
      'tools/call "wrong" at weather 1.2.3: city is unknown (-32602). Mend what was asked: the server would refuse the same again.',
      'tools/call "silent" at weather 1.2.3: tools/call gave no sign of life within 1 ms. Allow it a longer idleMs, or have the server report progress.',
      expect.stringMatching(/^resources\/read "file:\/\/\/x" at weather 1\.2\.3: .*resources.*Nothing was sent/),
    ]);
  });

  it('is one of each call, although the connection that broke was one', async () => {
    await using link = await linked(weather);
    const calls = [link.client.callTool('silent'), link.client.callTool('silent', { a: 1 })];
    await link.client.close();
    const [one, other] = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
    expect(one).toBeInstanceOf(ConnectionClosed);
    expect(one).not.toBe(other);
    expect(one).toMatchObject({ during: { method: 'tools/call', name: 'silent', server: 'weather 1.2.3' } });
    expect(Object.keys(one as object)).not.toContain('during');
  });
});

describe('what to do', () => {
  it.each([
    [new RpcError({ code: -32601, message: 'no' }), /capabilities/],
    [new RpcError({ code: -32603, message: 'no' }), /own log/],
    [new RpcError({ code: -32021, message: 'no' }), /answers/],
    [new TimedOut({ method: 'x', limit: 'total', ms: 1, message: 'no' }), /totalMs/],
    [new ConnectionClosed({ message: 'no', unopened: true }), /command or address/],
    [new ConnectionClosed({ message: 'no' }), /restart/],
    [new NotSupported({ method: 'x', message: 'no' }), /Nothing was sent/],
    [new InvalidAnswer({ method: 'x', message: 'no' }), /author/],
    [new InputRequired({ method: 'x', message: 'no' }), /again/],
    [new NoCommonRevision({ message: 'no', offered: [], supported: [] }), /revisions/],
    [new Refused({ message: 'no' }), /said no/],
    [new Misconfigured({ message: 'no' }), /Mend/],
  ])('is said of %s', (error, advice) => {
    expect(explain(error)).toMatch(/^no/);
    expect(explain(error)).toMatch(advice);
  });

  it('is not known of what somebody else threw', () => {
    expect(explain(new RpcError({ code: 7, message: 'seven' }))).toBe('seven (7).');
    expect(explain(new Error('Gone!'))).toBe('Gone!');
    expect(explain('a word')).toBe('a word.');
  });
});
