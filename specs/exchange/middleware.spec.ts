import { BehaviorSubject, map, NEVER, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isAnswer, middleware, server, tool, tools, type Exchange, type Request, type Served } from 'rxmcp';
import { createLedger, linked } from 'rxmcp/testing';

const marked = (mark: string, order: string[]) =>
  middleware((next) => (request, context) => {
    order.push(mark);
    return next({ ...request, params: { ...request.params, [mark]: true } }, context).pipe(
      map((emission) => (isAnswer(emission) ? { result: { ...emission.result, [mark]: true } } : emission)),
    );
  });

describe('middleware', () => {
  it('stands before what it wraps, for requests and for answers; the context goes on', () => {
    const order: string[] = [];
    const asked: [Request, unknown][] = [];
    const inner: Exchange = (request, context) => {
      asked.push([request, context]);
      return of({ method: 'notice' }, { result: { n: 1 } });
    };
    const context = { principal: 'ada' };
    const seen: unknown[] = [];
    marked('a', order)(marked('b', order)(inner))({ method: 'm' }, context).subscribe((one) => seen.push(one));
    expect(order).toEqual(['a', 'b']);
    expect(asked).toEqual([[{ method: 'm', params: { a: true, b: true } }, context]]);
    expect(asked[0]?.[1]).toBe(context);
    expect(seen).toEqual([{ method: 'notice' }, { result: { n: 1, a: true, b: true } }]);
  });

  it('wraps once, not for each request', () => {
    let wrapped = 0;
    const counted = middleware((next) => {
      wrapped += 1;
      return next;
    })(() => of({ result: {} }));
    void counted({ method: 'm' }, {});
    void counted({ method: 'm' }, {});
    expect(wrapped).toBe(1);
  });

  it('holds what is to be held, under any number of others, and nothing where there is nothing', () => {
    const exchange: Exchange = () => NEVER;
    const pass = middleware((next) => (request, context) => next(request, context));
    const held$ = NEVER;
    const served: Served = Object.assign<Exchange, object>((request, context) => exchange(request, context), { held$ });
    expect(pass(pass(served)).held$).toBe(held$);
    expect('held$' in pass(exchange)).toBe(false);
  });

  it.each(['2024-11-05', '2026-07-28'] as const)(
    'around a server keeps its lists at hand for as long as it is served: %s',
    async (revision) => {
      const ledger = createLedger();
      const list$ = new BehaviorSubject([tool('t', {}, () => 'ok')]);
      const changing = server({ name: 's', version: '1' }, tools(list$.pipe(ledger.watch('list'))));
      const link = await linked(marked('a', [])(changing), { revision });
      expect(ledger.live['list']).toBeGreaterThan(0);
      expect(await link.client.callTool('t', {})).toMatchObject({ content: [{ text: 'ok' }] });
      await link.client.close();
      expect(ledger.live).toEqual({});
    },
  );
});
