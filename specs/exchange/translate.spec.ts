import { concat, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isAnswer, type Emission } from '../../lib/exchange/exchange.ts';
import { translate } from '../../lib/exchange/translate.ts';
import { createLedger } from '../../lib/testing/index.ts';

const loud = (emission: Emission): Emission =>
  isAnswer(emission) ? { result: { ...emission.result, loud: true } } : { method: emission.method.toUpperCase() };

const inOtherWords = (source: Parameters<typeof translate>[0], word: (emission: Emission) => Emission = loud) => {
  const seen: unknown[] = [];
  const subscription = translate(source, word, (error) => ['translated', error]).subscribe({
    next: (emission) => seen.push(emission),
    error: (error: unknown) => seen.push(error),
    complete: () => seen.push('complete'),
  });
  return { seen, stop: () => subscription.unsubscribe() };
};

describe('translate', () => {
  it('says each emission in other words, in order, and completes with its source', () => {
    const source = of<Emission[]>({ method: 'a' }, { method: 'b' }, { result: { n: 1 } });
    expect(inOtherWords(source).seen).toEqual([
      { method: 'A' },
      { method: 'B' },
      { result: { n: 1, loud: true } },
      'complete',
    ]);
  });

  it('says the error in other words', () => {
    const source = concat(
      of<Emission>({ method: 'a' }),
      throwError(() => 'no'),
    );
    expect(inOtherWords(source).seen).toEqual([{ method: 'A' }, ['translated', 'no']]);
  });

  it('fails with what a translation throws, untranslated, and lets its source go', () => {
    const ledger = createLedger();
    const broken = new Error('broken');
    const source = new Subject<Emission>();
    const { seen } = inOtherWords(source.pipe(ledger.watch('source')), (emission) => {
      if (isAnswer(emission)) throw broken;
      return emission;
    });
    source.next({ method: 'a' });
    source.next({ result: {} });
    source.next({ method: 'b' });
    expect(seen).toEqual([{ method: 'a' }, broken]);
    expect(ledger.entries).toEqual(['source unsubscribed']);
  });

  it('lets a source go that speaks while it is being subscribed', () => {
    const ledger = createLedger();
    const { seen } = inOtherWords(concat(of<Emission>({ method: 'a' }), NEVER).pipe(ledger.watch('source')), () => {
      throw new Error('broken');
    });
    expect(seen).toEqual([new Error('broken')]);
    expect(ledger.live).toEqual({});
  });

  it('asks nothing before it is subscribed, asks for each subscriber, and cancels when it is unsubscribed', () => {
    const ledger = createLedger();
    const translated = translate(NEVER.pipe(ledger.watch('source')), loud, (error) => error);
    expect(ledger.live).toEqual({});
    const subscriptions = [translated.subscribe(), translated.subscribe()];
    expect(ledger.live).toEqual({ source: 2 });
    for (const subscription of subscriptions) subscription.unsubscribe();
    expect(ledger.entries).toEqual(['source unsubscribed', 'source unsubscribed']);
  });
});
