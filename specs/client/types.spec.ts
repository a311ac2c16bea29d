import { describe, expectTypeOf, it } from 'vitest';
import type { Observable } from 'rxjs';
import { z } from 'zod';
import type { connect } from '../../lib/index.ts';
import {
  inMemory,
  open,
  prompt,
  reply,
  resource,
  Schema,
  server,
  tool,
  tools,
  type CallEvent,
  type Client,
  type JsonObject,
} from '../../lib/index.ts';
import { NEVER } from 'rxjs';

const weather = server(
  { name: 'weather', version: '1' },
  tool(
    'forecast',
    {
      input: Schema.Struct({
        city: Schema.String,
        at: Schema.Date,
        days: Schema.optionalWith(Schema.NumberFromString, { default: () => 1 }),
      }),
      output: Schema.Struct({ celsius: Schema.Number, on: Schema.Date }),
    },
    ({ city, at, days }) => {
      expectTypeOf(city).toEqualTypeOf<string>();
      expectTypeOf(at).toEqualTypeOf<Date>();
      expectTypeOf(days).toEqualTypeOf<number>();
      return { celsius: 7, on: at };
    },
  ),
  tool(
    'zodded',
    { input: z.object({ n: z.string().transform(Number) }), output: z.object({ n: z.number() }) },
    ({ n }) => {
      expectTypeOf(n).toEqualTypeOf<number>();
      return { n };
    },
  ),
  tool(
    'literal',
    {
      input: { type: 'object', properties: { unit: { enum: ['c', 'f'] }, at: { type: 'number' } }, required: ['unit'] },
    },
    ({ unit, at }) => {
      expectTypeOf(unit).toEqualTypeOf<'c' | 'f'>();
      expectTypeOf(at).toEqualTypeOf<number | undefined>();
      return reply({ content: [] });
    },
  ),
  tool('bare', {}, () => 'x'),
  resource('a:b', {}, () => 'x'),
  prompt(
    'p',
    { arguments: { code: 'what', style: { required: false, complete: (typed, { code }) => [typed, code ?? ''] } } },
    ({ code, style }) => {
      expectTypeOf(code).toEqualTypeOf<string>();
      expectTypeOf(style).toEqualTypeOf<string | undefined>();
      return code;
    },
  ),
  tools(NEVER),
);

type Weather = typeof connect<typeof weather> extends (...args: never[]) => Observable<infer C> ? C : never;
declare const client: Weather;
type Result<E> = E extends { readonly kind: 'result'; readonly result: infer R } ? R : never;
type EventsOf<T> = T extends Observable<infer E> ? E : never;

// Never called: the compiler is the spec, and `tsc` runs it.
const typed = (): void => {
  const forecast = client.call('forecast', { city: 'Oslo', at: '2026-07-28', days: '3' });
  expectTypeOf<NonNullable<Result<EventsOf<typeof forecast>>['structuredContent']>>().toEqualTypeOf<{
    readonly celsius: number;
    readonly on: string;
  }>();
  expectTypeOf(client.callTool('forecast', { city: 'Oslo', at: '2026-07-28' })).resolves.toHaveProperty('content');

  // @ts-expect-error -- the wire carries dates as text
  void client.call('forecast', { city: 'Oslo', at: new Date() });
  // @ts-expect-error -- a number is not what the schema reads
  void client.call('forecast', { city: 'Oslo', at: '', days: 3 });
  // @ts-expect-error -- the city is missing
  void client.call('forecast', { at: '' });
  // @ts-expect-error -- there is no such tool
  void client.call('forcast', {});

  const zodded = client.call('zodded', { n: '5' });
  expectTypeOf<NonNullable<Result<EventsOf<typeof zodded>>['structuredContent']>>().toEqualTypeOf<{ n: number }>();
  void client.call('literal', { unit: 'c' });
  // @ts-expect-error -- neither Celsius nor Fahrenheit
  void client.call('literal', { unit: 'k' });
  void client.call('bare', {});
  const bare = client.call('bare', {});
  expectTypeOf<Result<EventsOf<typeof bare>>['structuredContent']>().toEqualTypeOf<unknown>();
};

describe('the types of a client', () => {
  it('follow from the type of its server: arguments as they travel, results as they arrive', () => {
    expectTypeOf(typed).toBeFunction();
    expectTypeOf<Parameters<Weather['call']>[0]>().toEqualTypeOf<'forecast' | 'zodded' | 'literal' | 'bare'>();
  });

  it('are open where nothing is known of the server', () => {
    const unknown = (any: Client): void => {
      expectTypeOf(any.call('whatever', { any: 'thing' })).toEqualTypeOf<
        Observable<CallEvent<Result<EventsOf<ReturnType<Client['call']>>>>>
      >();
      expectTypeOf<Parameters<Client['call']>[0]>().toEqualTypeOf<string>();
      expectTypeOf<Parameters<Client['call']>[1]>().toEqualTypeOf<JsonObject | undefined>();
    };
    expectTypeOf(unknown).toBeFunction();
  });

  it('are the same for who opens as for who connects', () => {
    const opened = () => open<typeof weather>(inMemory(weather));
    expectTypeOf<Parameters<Awaited<ReturnType<typeof opened>>['callTool']>[0]>().toEqualTypeOf<
      'forecast' | 'zodded' | 'literal' | 'bare'
    >();
  });
});
