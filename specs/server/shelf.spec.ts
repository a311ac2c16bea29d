import { BehaviorSubject, concat, defer, firstValueFrom, NEVER, of, Subject, throwError } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { isAnswer, Misconfigured, server, tool, tools, type ToolFeature } from '../../lib/index.ts';
import { shelf } from '../../lib/server/shelf.ts';
import { createLedger } from '../../lib/testing/index.ts';
import { leavesNothing } from '../behaviour/leaks.ts';

leavesNothing();

const offer = (name: string): ToolFeature => tool(name, {}, () => name);
const listing = (list$: Parameters<typeof tools>[0]) => tools(list$);
const names = (of_: { readonly all: readonly { readonly name: string }[] }) => of(of_.all.map(({ name }) => name));

describe('a shelf', () => {
  it('of fixed offers never changes, and is looked at in place', () => {
    const fixed = shelf<ToolFeature>('tool', ({ name }) => name, [offer('a'), offer('b')], []);
    const seen: unknown[] = [];
    fixed.look(names).subscribe((all) => seen.push(all));
    expect(seen).toEqual([['a', 'b']]);
    expect(fixed.changing).toBe(false);
  });

  it('is subscribed to nothing before somebody looks, and to nothing after', async () => {
    const ledger = createLedger();
    const made = shelf(
      'tool',
      ({ name }: ToolFeature) => name,
      [offer('a')],
      [listing(of([offer('b')]).pipe((source) => concat(source, NEVER), ledger.watch('list')))],
    );
    expect(ledger.live).toEqual({});
    expect(await firstValueFrom(made.look(names))).toEqual(['a', 'b']);
    expect(ledger.live).toEqual({});
  });

  it('that is held has its list at hand, and subscribes once for all', () => {
    const ledger = createLedger();
    const list$ = new BehaviorSubject([offer('a')]);
    const made = shelf('tool', ({ name }: ToolFeature) => name, [], [listing(list$.pipe(ledger.watch('list')))]);
    const changes: unknown[] = [];
    const one = made.changes$.subscribe(() => changes.push('one'));
    const two = made.changes$.subscribe(() => changes.push('two'));
    expect(ledger.live).toEqual({ list: 1 });
    list$.next([offer('b')]);
    expect(changes).toEqual(['one', 'two']);
    const seen: unknown[] = [];
    made.look(names).subscribe((all) => seen.push(all));
    expect(seen).toEqual([['b']]);
    one.unsubscribe();
    expect(ledger.live).toEqual({ list: 1 });
    two.unsubscribe();
    expect(ledger.live).toEqual({});
  });

  it('waits for the first list', () => {
    const list$ = new Subject<ToolFeature[]>();
    const made = shelf('tool', ({ name }: ToolFeature) => name, [], [listing(list$)]);
    const seen: unknown[] = [];
    made.look(names).subscribe((all) => seen.push(all));
    expect(seen).toEqual([]);
    list$.next([offer('a')]);
    expect(seen).toEqual([['a']]);
    expect(list$.observed).toBe(false);
  });

  it('keeps a list that has completed', async () => {
    const made = shelf('tool', ({ name }: ToolFeature) => name, [], [listing(of([offer('a')]))]);
    const holding = made.changes$.subscribe();
    expect(await firstValueFrom(made.look(names))).toEqual(['a']);
    holding.unsubscribe();
    expect(await firstValueFrom(made.look(names))).toEqual(['a']);
  });

  it('has no two offers of one name (NAME-05)', async () => {
    expect(() => shelf('tool', ({ name }: ToolFeature) => name, [offer('a'), offer('a')], [])).toThrow(Misconfigured);
    const made = shelf('tool', ({ name }: ToolFeature) => name, [offer('a')], [listing(of([offer('a')]))]);
    await expect(firstValueFrom(made.look(names))).rejects.toBeInstanceOf(Misconfigured);
    expect(() => server({ name: 's', version: '1' }, offer('a'), offer('a'))).toThrow('there are two tools "a"');
  });

  it('whose list has failed is looked at anew', async () => {
    const attempts = [throwError(() => new Error('no')), of([offer('a')])];
    const made = shelf('tool', ({ name }: ToolFeature) => name, [], [listing(defer(() => attempts.shift() ?? NEVER))]);
    await expect(firstValueFrom(made.look(names))).rejects.toThrow('no');
    expect(await firstValueFrom(made.look(names))).toEqual(['a']);
  });
});

describe('a server as an exchange', () => {
  const made = server(
    { name: 's', version: '1' },
    offer('a'),
    tool(
      'strict',
      {
        input: {
          type: 'object',
          '~standard': {
            version: 1,
            vendor: 'x',
            validate: () => {
              throw new Error('in /home/ada/schema.ts');
            },
            jsonSchema: { input: () => ({ type: 'object' }), output: () => ({}) },
          },
        } as never,
      },
      () => 'x',
    ),
  );

  it('fails on its error channel, and never by throwing', async () => {
    const seen: unknown[] = [];
    for (const [method, params] of [
      ['no/such', {}],
      ['tools/list', { cursor: 'x' }],
      ['tools/call', { name: 'nobody' }],
    ] as const)
      made({ method, params }, {}).subscribe({ error: (error: unknown) => seen.push(error) });
    expect(seen).toHaveLength(3);
  });

  it('takes what a schema throws for arguments that do not fit', async () => {
    const answer = await firstValueFrom(made({ method: 'tools/call', params: { name: 'strict', arguments: {} } }, {}));
    expect(isAnswer(answer) && answer.result).toMatchObject({
      isError: true,
      content: [{ text: 'invalid arguments for strict: in [path]' }],
    });
  });

  it('names itself on every result, unless told not to (VER-12, META-12)', async () => {
    const answer = await firstValueFrom(made({ method: 'tools/call', params: { name: 'a' } }, {}));
    expect(isAnswer(answer) && answer.result['_meta']).toEqual({
      'io.modelcontextprotocol/serverInfo': { name: 's', version: '1' },
    });
  });
});
