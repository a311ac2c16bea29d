import { describe, expect, it } from 'vitest';
import { ordersOf } from '../../../demos/everything/probe/orders.ts';

describe('the command line of the probe', () => {
  it('says where to, and what to do there, in this order', () => {
    expect(
      ordersOf([
        ...['--read', 'a://b', '--era', 'modern', '--call', 'x={"y":"a=b"}', '--stdio', 'node server.js --flag'],
        ...['--prompt', 'p={"n":1,"s":"t","o":{"k":null}}', '--call=z', '--timeout', '250'],
      ]),
    ).toEqual({
      to: { kind: 'stdio', address: 'node server.js --flag' },
      revisions: ['2026-07-28'],
      timeoutMs: 250,
      errands: [
        { kind: 'read', uri: 'a://b' },
        { kind: 'call', name: 'x', args: { y: 'a=b' } },
        { kind: 'prompt', name: 'p', args: { n: '1', s: 't', o: '{"k":null}' } },
        { kind: 'call', name: 'z', args: {} },
      ],
    });
  });

  it.each([
    [[], undefined],
    [['--era', 'auto'], undefined],
    [
      ['--era', 'legacy'],
      ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'],
    ],
  ])('tries with %j the revisions %j', (args, revisions) => {
    expect(ordersOf(['--url', 'http://localhost/mcp', ...args]).revisions).toEqual(revisions);
  });

  it.each([
    [[], 'exactly one of --stdio, --url, --sse, --ws says where to'],
    [['--stdio', 'x', '--ws', 'y'], 'exactly one of --stdio, --url, --sse, --ws says where to'],
    [['--stdio', 'x', '--era', 'late'], '--era must be auto, legacy or modern; got late'],
    [['--stdio', 'x', '--call', 'echo={'], '--call takes name={json}, an object; got echo={'],
    [['--stdio', 'x', '--call', 'echo=null'], '--call takes name={json}, an object; got echo=null'],
    [['--stdio', 'x', '--prompt', 'p=[1]'], '--prompt takes name={json}, an object; got p=[1]'],
    [['--stdio', 'x', '--timeout', 'soon'], '--timeout must be a number of milliseconds; got soon'],
    [['--stdio', 'x', '--timeout', '-1'], '--timeout'],
    [['--stdio', 'x', '--timeout', '0'], '--timeout must be a number of milliseconds; got 0'],
    [['--stdio', 'x', '--colour'], '--colour'],
  ])('refuses %j', (args, why) => {
    expect(() => ordersOf(args)).toThrow(why);
  });
});
