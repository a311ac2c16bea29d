/** Requests that prove who makes them, whatever it is that proves it. */
import { BehaviorSubject, of, Subject, throwError, type Observable } from 'rxjs';
import { describe, expect, it, vi } from 'vitest';
import { ConnectionClosed, explain, HttpRefusal, restart, TimedOut } from 'rxmcp';
import { LoginFailed, type Authorization, type Challenge } from 'rxmcp/auth';
import { connect } from '../../../lib/client/connect.ts';
import { remote } from '../../../lib/transport/remote/remote.ts';
import { virtualTime } from './clock.ts';
import { dial, discovered, done, far, follow, shaken, url, type Call } from './scripted.ts';

virtualTime();

/** Proves by a word that may be changed; what is refused is decided by hand. */
const prover = (decide?: (challenge: Challenge, attempt: number) => Observable<boolean>) => {
  const verdicts: Subject<boolean>[] = [];
  const held$ = new BehaviorSubject(false);
  const prover = {
    word: 'one',
    extensions: {},
    held$,
    verdicts,
    refusals: [] as { readonly status: number; readonly said: string | undefined; readonly attempt: number }[],
  };
  const auth: Authorization = {
    authorizerFor: () => ({
      headers: () => ({ authorization: `Bearer ${prover.word}` }),
      held$,
      refused: (_, challenge, attempt) => {
        prover.refusals.push({ status: challenge.status, said: challenge.header('www-authenticate'), attempt });
        if (decide !== undefined) return decide(challenge, attempt);
        const verdict = new Subject<boolean>();
        verdicts.push(verdict);
        return verdict;
      },
    }),
  };
  return Object.assign(prover, { auth });
};

const verdict = (subject: Subject<boolean> | undefined, again: boolean): void => {
  subject?.next(again);
  subject?.complete();
};

/** Knows the word, says who it is, and leaves calls to the spec. */
const protectedBy = (word: () => string, respond: (call: Call) => void = () => undefined) =>
  far((call) => {
    if (call.headers['authorization'] !== `Bearer ${word()}`)
      return void call.whole(401, 'who are you?', { 'www-authenticate': 'Bearer scope="a"' });
    if (call.asks === 'server/discover') return void call.answer(discovered());
    respond(call);
  });

describe('a request that proves who makes it', () => {
  it('has the proof with it each time, above what the user says (AUTHC-43)', () => {
    const { auth } = prover();
    const server = protectedBy(
      () => 'one',
      (call) => void call.answer(done),
    );
    const link = dial(server, { auth, headers: { authorization: 'Basic mine', 'x-other': 'kept' } });
    const { seen } = follow(link.client.call('echo'));
    server.pump();
    expect(seen.complete).toBe(true);
    expect(server.calls.map(({ headers }) => headers['authorization'])).toEqual(['Bearer one', 'Bearer one']);
    expect(server.last().headers['x-other']).toBe('kept');
    link.close();
  });

  it('is made again with a better one, and its caller hears of nothing else (AUTHC-03)', () => {
    const proving = prover();
    const server = protectedBy(
      () => 'two',
      (call) => void call.answer(done),
    );
    const link = dial(server, { auth: proving.auth });
    expect(link.seen).toEqual({});
    expect(proving.refusals).toEqual([{ status: 401, said: 'Bearer scope="a"', attempt: 0 }]);
    proving.word = 'two';
    verdict(proving.verdicts[0], true);
    server.pump();
    expect(link.client.revision).toBe('2026-07-28');
    expect(server.calls[1]?.body).toEqual(server.calls[0]?.body);
    link.close();
  });

  it('counts how often it was refused', () => {
    const proving = prover((_, attempt) => of(attempt < 3));
    const server = protectedBy(() => 'never');
    const link = dial(server, { auth: proving.auth });
    expect(proving.refusals.map(({ attempt }) => attempt)).toEqual([0, 1, 2, 3]);
    expect(link.seen.error).toBeInstanceOf(ConnectionClosed);
    link.close();
  });

  it('hands the refusal on as it was, where nothing can be done about it', () => {
    const proving = prover(() => of(false));
    const server = protectedBy(() => 'never');
    const link = dial(server, { auth: proving.auth });
    const { error } = link.seen;
    expect(error).toBeInstanceOf(ConnectionClosed);
    const cause = error instanceof Error ? error.cause : undefined;
    expect(cause).toBeInstanceOf(HttpRefusal);
    expect(cause).toMatchObject({ status: 401, wwwAuthenticate: 'Bearer scope="a"', body: 'who are you?' });
    // Neither another era nor another transport would do better (SHTTP-58).
    expect(server.calls).toHaveLength(1);
    link.close();
  });

  it.each([401, 403, 404, 500])('does not show what a server repeats of it: %i', (status) => {
    const proving = prover(() => of(false));
    proving.word = 'eyJ-the-whole-token';
    const server = far((call) => {
      const { authorization = '' } = call.headers;
      call.whole(status, `no: ${authorization}`, { 'www-authenticate': `Bearer realm="${authorization}"` });
    });
    const link = dial(server, { auth: proving.auth, revisions: ['2026-07-28'] });
    const { error } = link.seen;
    expect(error).toBeInstanceOf(ConnectionClosed);
    const said = JSON.stringify([error, error instanceof Error ? [error.message, error.cause] : []]);
    expect(said).toContain('no: Bearer …');
    expect(said).not.toContain('eyJ');
    link.close();
  });

  it('does not wait for the end of what is said with a refusal', () => {
    const proving = prover();
    const server = far((call) => void call.head(401).text('endless'));
    const link = dial(server, { auth: proving.auth });
    expect(proving.refusals).toEqual([]);
    vi.advanceTimersByTime(2_000);
    expect(proving.refusals).toHaveLength(1);
    expect(server.last().aborted).toBe(true);
    link.close();
  });

  it('gives up with its caller, at any time', () => {
    const proving = prover();
    const server = protectedBy(() => 'never');
    const link = dial(server, { auth: proving.auth });
    expect(proving.verdicts[0]?.observed).toBe(true);
    link.close();
    expect(proving.verdicts[0]?.observed).toBe(false);
  });

  it('has one at every message of a session, and at its stream (AUTHC-43)', () => {
    const { auth } = prover();
    const server = far((call) => {
      if (call.headers['authorization'] !== 'Bearer one') return void call.head(401).end();
      if (call.asks === 'initialize') return void call.answer(shaken('2025-11-25'), { 'mcp-session-id': 's' });
      if (call.asks === 'tools/call') return void call.answer(done);
      if (call.asks === 'GET') return void call.stream();
      call.accept();
    });
    const link = dial(server, { auth, revisions: ['2025-11-25'] });
    server.pump();
    const { seen } = follow(link.client.call('echo'));
    server.pump();
    expect(seen.complete).toBe(true);
    link.close();
    server.pump();
    expect(server.asked()).toEqual(['initialize', 'notifications/initialized', 'GET', 'tools/call', 'DELETE']);
    for (const { headers } of server.calls) expect(headers['authorization']).toBe('Bearer one');
  });
});

describe('a login that fails', () => {
  const failure = new LoginFailed({ stage: 'authorization', message: 'Ada said no', code: 'access_denied' });

  it('is the cause of the failure, with what to do about it', () => {
    const proving = prover(() => throwError(() => failure));
    const server = protectedBy(() => 'never');
    const link = dial(server, { auth: proving.auth });
    const { error } = link.seen;
    expect(error).toBeInstanceOf(ConnectionClosed);
    expect(error).toMatchObject({ message: 'Ada said no', cause: failure });
    expect(explain(error)).toMatch(/^Ada said no\. Log in/);
    link.close();
  });

  it('is not tried again by itself: neither for what is idempotent nor by restart', () => {
    const proving = prover(() => throwError(() => failure));
    const server = protectedBy(() => proving.word);
    const link = dial(server, { auth: proving.auth });
    proving.word = 'two';
    const known = server.calls.length;
    const refusing = far((call) => void call.head(401).end());
    const { seen } = follow(
      connect(remote(url, { carrier: refusing.carrier, auth: proving.auth })).pipe(restart({ jitter: 0 })),
    );
    refusing.pump();
    expect(seen.error).toMatchObject({ cause: failure });
    expect(refusing.calls).toHaveLength(1);
    expect(vi.getTimerCount()).toBe(0);
    expect(server.calls).toHaveLength(known);
    link.close();
  });

  it('is tried again by restart where somebody could not be reached', () => {
    const passing = new LoginFailed({ stage: 'network', message: 'nobody there', passing: true });
    const proving = prover(() => throwError(() => passing));
    const refusing = far((call) => void call.head(401).end());
    const endpoint = remote(url, { carrier: refusing.carrier, auth: proving.auth });
    const { stop } = follow(connect(endpoint).pipe(restart({ jitter: 0, initialMs: 100 })));
    refusing.pump();
    expect(refusing.calls).toHaveLength(1);
    vi.advanceTimersByTime(100);
    refusing.pump();
    expect(refusing.calls).toHaveLength(2);
    stop();
  });
});

describe('while somebody is asked', () => {
  it('no clock of the connection runs', () => {
    const proving = prover();
    const server = protectedBy(() => 'two');
    const link = dial(server, { auth: proving.auth, probeMs: 1_000 });
    proving.held$.next(true);
    vi.advanceTimersByTime(60_000);
    expect(link.seen).toEqual({});
    proving.word = 'two';
    proving.held$.next(false);
    verdict(proving.verdicts[0], true);
    server.pump();
    expect(link.client.revision).toBe('2026-07-28');
    link.close();
  });

  it('but it does before and after', () => {
    const proving = prover();
    const server = protectedBy(() => 'two');
    const link = dial(server, { auth: proving.auth, revisions: ['2026-07-28'], probeMs: 1_000 });
    proving.held$.next(true);
    vi.advanceTimersByTime(60_000);
    proving.held$.next(false);
    vi.advanceTimersByTime(999);
    expect(link.seen).toEqual({});
    vi.advanceTimersByTime(1);
    expect(link.seen.error).toBeInstanceOf(TimedOut);
    link.close();
  });

  it('no call is late', () => {
    const proving = prover();
    const server = protectedBy(() => 'one');
    const link = dial(server, { auth: proving.auth });
    const { seen, stop } = follow(link.client.call('echo', {}, { idleMs: 1_000 }));
    server.pump();
    proving.held$.next(true);
    vi.advanceTimersByTime(10_000);
    expect(seen).toEqual({ values: [] });
    proving.held$.next(false);
    vi.advanceTimersByTime(3_000);
    expect(seen.error).toBeInstanceOf(TimedOut);
    stop();
    link.close();
  });
});
