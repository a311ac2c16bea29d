import { concat, NEVER, of, timer, map } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { idleTimeout, progress, server, TimedOut, tool, type Emission, type Exchange } from 'rxmcp';
import { createLedger, linked } from 'rxmcp/testing';
import { ask } from './ask.ts';

/** What marbles stand for: `p` and `l` are signs of life, `r` is the answer. */
const said: Record<string, Emission> = {
  p: { method: 'notifications/progress', params: { progress: 1 } },
  l: { method: 'notifications/message', params: { level: 'info', data: 'x' } },
  r: { result: { resultType: 'complete' } },
};

const late = (ms: number, method = 'tools/call'): TimedOut =>
  new TimedOut({ method, limit: 'idle', ms, message: `${method} gave no sign of life within ${ms} ms` });

/** Asks what says this under a limit of five frames, and sees that. */
const seen = (
  source: string,
  subscribed: string,
  outcome: string,
  { method = 'tools/call', until }: { readonly method?: string; readonly until?: string } = {},
): void => {
  new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run(
    ({ cold, expectObservable, expectSubscriptions }) => {
      const far = cold(source, said, new Error('its own'));
      const exchange: Exchange = () => far;
      const error = outcome.includes('#') && source.includes('#') ? new Error('its own') : late(5, method);
      expectObservable(idleTimeout(5)(exchange)({ method }, {}), until).toBe(outcome, said, error);
      expectSubscriptions(far.subscriptions).toBe(subscribed);
    },
  );
};

describe('an idle timeout', () => {
  it('fails what says nothing in time, and cancels what is behind it (LIFE-17, LIFE-18)', () => {
    seen('----------(r|)', '^----!', '-----#');
    seen('-', '^----!', '-----#');
  });

  it('lets go what answers in time', () => {
    seen('----(r|)', '^---!', '----(r|)');
    seen('(r|)', '(^!)', '(r|)');
  });

  it('starts again with each sign of life: progress, a log line (LIFE-20)', () => {
    seen('----p----l----p----(r|)', '^------------------!', '----p----l----p----(r|)');
    seen('----p---------(r|)', '^--------!', '----p----#');
  });

  it('passes failures on as they are, and ends without an answer where that does', () => {
    seen('---#', '^--!', '---#');
    seen('---|', '^--!', '---|');
  });

  it('cancels when it is unsubscribed, before any limit', () => {
    seen('-p--------', '^--!', '-p-', { until: '---!' });
  });

  it('is none of a subscription (SUB-17)', () => {
    seen('p-----------------p', '^-------------------!', 'p-----------------p', {
      method: 'subscriptions/listen',
      until: '--------------------!',
    });
  });

  it('names the method and the limit', () => {
    seen('-', '^----!', '-----#', { method: 'resources/read' });
    expect(late(5)).toMatchObject({ _tag: 'TimedOut', limit: 'idle', ms: 5 });
  });
});

describe('an idle timeout by the clock', () => {
  afterEach(() => {
    const left = vi.getTimerCount();
    vi.useRealTimers();
    expect(left).toBe(0);
  });

  it.each([Infinity, 2 ** 31, 40 * 24 * 3_600_000])('may be longer than a timer can be: %d ms', async (ms) => {
    vi.useFakeTimers();
    const { seen: heard, stop } = ask(
      idleTimeout(ms)(() => NEVER),
      'tools/call',
    );
    await vi.advanceTimersByTimeAsync(1_000_000);
    expect(heard).toEqual([]);
    stop();
  });

  it('is seen by a peer as an error that names no internals, and stops the handler', async () => {
    vi.useFakeTimers();
    const ledger = createLedger();
    const slow = tool('slow', {}, () =>
      concat(timer(80).pipe(map(() => progress(1))), timer(80).pipe(map(() => progress(2))), NEVER).pipe(
        ledger.watch('work'),
      ),
    );
    const quick = tool('quick', {}, () => of('done'));
    const link = await linked(idleTimeout(100)(server({ name: 's', version: '1' }, slow, quick)));
    const events: unknown[] = [];
    link.client.call('slow', {}).subscribe({
      next: (event) => events.push(event.kind),
      error: (error: unknown) => events.push(error),
    });
    await vi.advanceTimersByTimeAsync(259);
    expect(events).toEqual(['progress', 'progress']);
    await vi.advanceTimersByTimeAsync(1);
    // What a peer hears of it is the method, and not whose limit it was.
    expect(events.slice(2)).toMatchObject([
      { code: -32603, message: expect.stringMatching(/^tools\/call\b/) as unknown },
    ]);
    expect(ledger.entries).toEqual(['work unsubscribed']);
    expect((await link.client.callTool('quick', {})).content).toMatchObject([{ text: 'done' }]);
    await link.client.close();
  });
});
