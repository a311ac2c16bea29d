import { merge, of, Subject, throwError } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  codes,
  ConnectionClosed,
  inMemory,
  RpcError,
  type Answers,
  type Channel,
  type Exchange,
  type UrlAnswered,
} from 'rxmcp';
import { leavesNothing } from '../behaviour/leaks.ts';
import { errorOf, textOf } from '../behaviour/scene.ts';
import { behind } from './behind.ts';
import { proxied } from './proxied.ts';

leavesNothing();

const urlElicitationRequired = -32042;
const page = (elicitationId: string) => ({
  mode: 'url',
  message: 'Log in',
  url: `https://example.com/${elicitationId}`,
  elicitationId,
});
const required = (...ids: readonly string[]) => ({ elicitations: ids.map(page) });
const complete = (elicitationId: string) => ({
  method: 'notifications/elicitation/complete',
  params: { elicitationId },
});
const agreed = { 'url-1': { action: 'accept' } };
const invalid = expect.objectContaining({ code: codes.invalidParams }) as unknown;

describe('a call that a server of 2025-11-25 refuses until a page has been visited', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] }));
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });

  const refused = (...ids: readonly string[]) => {
    const server = behind();
    const first = server.call({ principal: 'ada' });
    server.refuse(1, urlElicitationRequired, required(...ids));
    const calls = (): number => server.sent.filter(({ method }) => method === 'tools/call').length;
    return { ...server, first, calls, state: first.needs().requestState };
  };
  const ada = { principal: 'ada' };

  it('asks for that, without the id that only the server knows (BR-32, BR-33, ELI-18)', () => {
    const { first } = refused('a', 'b');
    const asked = (id: string) => ({
      method: 'elicitation/create',
      params: { mode: 'url', message: 'Log in', url: `https://example.com/${id}` },
    });
    expect(first.needs().inputRequests).toEqual({ 'url-1': asked('a'), 'url-2': asked('b') });
  });

  it('is made again once the server says that the visit is over, and not before (BR-33)', () => {
    const { again, unsolicited, state, calls, answer } = refused('a');
    const second = again(state, agreed, ada);
    unsolicited.next(complete('other'));
    expect(calls()).toBe(1);
    unsolicited.next(complete('a'));
    expect(calls()).toBe(2);
    answer(2);
    expect(second.seen).toMatchObject([{ result: { resultType: 'complete' } }, 'complete']);
    expect(unsolicited.observed).toBe(false);
  });

  it('is made again at once where that has been said before (BR-33)', () => {
    const { again, unsolicited, state, calls, lose } = refused('a', 'b');
    for (const id of ['b', 'a']) unsolicited.next(complete(id));
    again(state, { ...agreed, 'url-2': { action: 'accept' } }, ada);
    expect(calls()).toBe(2);
    lose();
  });

  it('is made again after half a minute where nothing is said (BR-33)', () => {
    const { again, state, calls, lose } = refused('a');
    again(state, agreed, ada);
    vi.advanceTimersByTime(29_999);
    expect(calls()).toBe(1);
    vi.advanceTimersByTime(1);
    expect(calls()).toBe(2);
    lose();
  });

  it('may ask for another page then', () => {
    const { again, unsolicited, state, refuse } = refused('a');
    const second = again(state, agreed, ada);
    unsolicited.next(complete('a'));
    refuse(2, urlElicitationRequired, required('b'));
    expect(second.needs().inputRequests).toMatchObject({ 'url-1': { params: { url: 'https://example.com/b' } } });
    expect(second.needs().requestState).not.toBe(state);
  });

  it.each(['decline', 'cancel'])('fails where the user says %s', (action) => {
    const { again, state, calls } = refused('a');
    expect(again(state, { 'url-1': { action } }, ada).seen).toMatchObject([{ code: codes.invalidRequest }]);
    expect(calls()).toBe(1);
    expect(again(state, agreed, ada).seen).toEqual([invalid]);
  });

  it('asks once more where one of the pages was not answered for (MRTR-15)', () => {
    const { again, state, first, calls } = refused('a', 'b');
    for (const given of [{}, agreed]) expect(again(state, given, ada).needs()).toEqual(first.needs());
    expect(calls()).toBe(1);
  });

  it('belongs to who made it, and is made again once (MRTR-11)', () => {
    const { again, state, lose } = refused('a');
    expect(again(state, agreed, { principal: 'bob' }).seen).toEqual([invalid]);
    expect(again(state, agreed, ada, { name: 'other' }).seen).toEqual([invalid]);
    const second = again(state, agreed, ada);
    expect(second.seen).toEqual([]);
    expect(again(state, agreed, ada).seen).toEqual([invalid]);
    lose();
  });

  it('waits for nothing once its caller has left, or its connection is lost', () => {
    const one = refused('a');
    one.again(one.state, agreed, ada).stop();
    expect([vi.getTimerCount(), one.calls()]).toEqual([0, 1]);
    const two = refused('a');
    const waiting = two.again(two.state, agreed, ada);
    two.lose();
    expect(waiting.seen).toEqual([expect.any(ConnectionClosed)]);
  });

  it('is forgotten where too many others wait', () => {
    const { again, state, call, refuse, lose } = refused('a');
    for (let n = 0; n < 100; n += 1) {
      call({}, { arguments: { n } });
      refuse(n + 2, urlElicitationRequired, required(`page-${n}`));
    }
    expect(again(state, agreed, ada).seen).toEqual([invalid]);
    lose();
  });

  it('fails with what is missing where its caller has not declared that it can visit pages (BR-73)', () => {
    const { call, refuse } = behind();
    const { seen } = call({}, {}, { elicitation: {} });
    refuse(1, urlElicitationRequired, required('a'));
    expect(seen).toMatchObject([
      { code: codes.missingClientCapability, message: expect.stringContaining('elicitation.url') as string },
    ]);
  });
});

it.each([
  ['2025-06-18', required('a')],
  ['2025-11-25', { elicitations: [] }],
  ['2025-11-25', { elicitations: ['a'] }],
  ['2025-11-25', undefined],
] as const)('the same code at %s, with data %j, is an error like any other (BR-33)', (revision, data) => {
  const { call, refuse } = behind(undefined, revision);
  for (const [index, { seen }] of [call(), call({}, {}, {})].entries()) {
    refuse(index + 1, urlElicitationRequired, data);
    expect(seen).toMatchObject([{ code: codes.internalError, message: 'no' }]);
  }
});

describe.each(['2025-11-25', '2026-07-28'] as const)('a client at %s, of such a server behind a proxy', (down) => {
  const discovered = {
    resultType: 'complete',
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: {} },
    ttlMs: 0,
    cacheScope: 'private',
  };

  /** Lets in who has been there. */
  const guarded = () => {
    const visited = new Set<string>();
    const served: Exchange = ({ method }) => {
      if (method === 'server/discover') return of({ result: discovered });
      return visited.has('a')
        ? of({ result: { resultType: 'complete', content: [{ type: 'text', text: 'welcome' }] } })
        : throwError(() => new RpcError({ code: urlElicitationRequired, message: 'log in', data: required('a') }));
    };
    return { visited, served };
  };

  const link = (answers: Answers) => {
    const { visited, served } = guarded();
    const said = new Subject<unknown>();
    const inside = inMemory(served, { serialise: true });
    const channel: Channel = (outbound) => merge(inside(outbound), said);
    /** Somebody has been to the page, and the server says so. */
    const visit = (): void => {
      visited.add('a');
      said.next({ jsonrpc: '2.0', ...complete('a') });
    };
    return { visit, proxy: () => proxied(served, { up: '2025-11-25', down, channel, client: { answers } }) };
  };

  it('is sent to the page, and then let in (BR-33, ELI-18)', async () => {
    const urls: string[] = [];
    const { visit, proxy: opened } = link({
      url: ({ url }): UrlAnswered => {
        urls.push(url);
        visit();
        return { action: 'accept' };
      },
    });
    await using proxy = await opened();
    expect(textOf(await proxy.client.callTool('enter', {}))).toBe('welcome');
    expect(urls).toEqual(['https://example.com/a']);
  });

  it('that will not go there is not let in, and one that cannot is told why (BR-33, BR-73)', async () => {
    await using unwilling = await link({ url: () => ({ action: 'decline' }) }).proxy();
    expect(await errorOf(unwilling.client.callTool('enter', {}))).toMatchObject({ code: codes.invalidRequest });
    await using unable = await link({}).proxy();
    expect(await errorOf(unable.client.callTool('enter', {}))).toMatchObject({
      code: down === '2026-07-28' ? codes.missingClientCapability : codes.invalidRequest,
      message: expect.stringContaining('elicitation.url') as string,
    });
  });
});
