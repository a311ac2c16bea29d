import { Subject } from 'rxjs';
import { describe, expect, it } from 'vitest';
import type { Context, Emission, JsonObject } from 'rxmcp';
import { hearing, type Overheard } from '../../lib/era/hearing.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';
import { behind, everything } from './behind.ts';

const line = (level: string) => ({ method: 'notifications/message', params: { level, data: 'x' } });

/** Calls through an exchange that says nothing by itself. */
const heard = (others?: (context: Context) => boolean) => {
  const { wrap, tell, stray } = hearing();
  const strays: unknown[] = [];
  stray.subscribe((notice) => strays.push(notice));
  const begin = (logLevel: string | undefined, proxied = true, context: Context = {}, method = 'tools/call') => {
    const said = new Subject<Emission>();
    const exchange = wrap(Object.assign(() => said, others === undefined ? {} : { others }));
    const _meta: JsonObject = {
      ...(logLevel === undefined ? undefined : { [metaKeys.logLevel]: logLevel }),
      ...(proxied ? { [metaKeys.clientCapabilities]: {} } : undefined),
    };
    const lines: unknown[] = [];
    const subscription = exchange({ method, params: { _meta } }, context).subscribe({
      next: (emission) => lines.push(emission),
      error: () => lines.push('failed'),
    });
    return { lines, said, stop: () => subscription.unsubscribe() };
  };
  return { begin, tell, strays };
};

describe('a log line over a channel that many calls share', () => {
  it('is for the only call that wants lines, at its level; what is below goes to nobody (BR-24, LOG-07)', () => {
    const { begin, tell, strays } = heard();
    const { lines } = begin('warning');
    begin(undefined);
    for (const level of ['debug', 'info', 'warning', 'error', 'nonsense']) tell(line(level));
    expect(lines).toEqual([line('warning'), line('error')]);
    expect(strays).toEqual([]);
  });

  it("is a stray where several want it, and again somebody's once the others have ended (BR-24)", () => {
    const { begin, tell, strays } = heard();
    const [one, two, three] = [begin('debug'), begin('debug'), begin('debug')];
    tell(line('info'));
    expect([strays.length, one.lines.length, two.lines.length]).toEqual([1, 0, 0]);
    two.stop();
    three.said.next({ result: {} });
    three.said.complete();
    tell(line('info'));
    expect(one.lines).toEqual([line('info')]);
    expect(strays).toHaveLength(1);
    one.said.error(new Error('over'));
    tell(line('info'));
    expect([one.lines.at(-1), strays.length]).toEqual(['failed', 2]);
  });

  it("is a stray where the client's own calls want it: it may be about them (BR-24)", () => {
    const { begin, tell, strays } = heard();
    const own = begin('debug', false);
    tell(line('info'));
    const other = begin('debug');
    tell(line('info'));
    expect([strays.length, own.lines, other.lines]).toEqual([2, [], []]);
    own.stop();
    tell(line('info'));
    expect(other.lines).toHaveLength(1);
  });

  it('is not for who only listens to changes, and does not make two of one (BR-24)', () => {
    const { begin, tell, strays } = heard();
    const listening = begin('debug', true, {}, 'subscriptions/listen');
    tell(line('info'));
    expect(strays).toHaveLength(1);
    const { lines } = begin('debug');
    tell(line('info'));
    expect([lines.length, listening.lines]).toEqual([1, []]);
  });

  it('is not for somebody whose server works for others as well (BR-24)', () => {
    let busy = true;
    const { begin, tell, strays } = heard(({ principal }) => busy && principal === 'ada');
    const { lines } = begin('debug', true, { principal: 'ada' });
    tell(line('info'));
    expect([strays.length, lines.length]).toEqual([1, 0]);
    busy = false;
    tell(line('info'));
    expect(lines).toHaveLength(1);
  });

  it('is one thing; whatever else belongs to no request is a stray', () => {
    const { begin, tell, strays } = heard();
    begin('debug');
    tell({ method: 'notifications/tools/list_changed' });
    expect(strays).toEqual([{ method: 'notifications/tools/list_changed' }]);
  });
});

describe('a server of an older revision, which logs for a whole session', () => {
  const others =
    ({ others: working }: Overheard) =>
    (principal: string): boolean =>
      working?.({ principal }) === true;

  it('works for others while a call of another principal is under way, asked something or not (BR-24)', () => {
    const { call, ask, answer, exchange } = behind();
    expect(others(exchange)('ada')).toBe(false);
    call({ principal: 'ada' }, {}, everything);
    expect([others(exchange)('ada'), others(exchange)('bob')]).toEqual([false, true]);
    ask('q');
    expect([others(exchange)('ada'), others(exchange)('bob')]).toEqual([false, true]);
    answer(1);
    expect(others(exchange)('bob')).toBe(false);
  });

  it('works for others while it works for the client itself (BR-24)', () => {
    const { own, answer, exchange } = behind();
    own();
    expect(others(exchange)('ada')).toBe(true);
    answer(1);
    expect(others(exchange)('ada')).toBe(false);
  });
});
