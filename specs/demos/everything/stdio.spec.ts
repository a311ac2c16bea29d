/** The `everything` server as a process: how it is started, and how it ends. */
import { spawn } from 'node:child_process';
import { on, once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../demo.ts';

const program = 'demos/everything/server.ts';
const root = fileURLToPath(new URL('../../..', import.meta.url));

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientCapabilities': {},
};
const request = (id: number, method: string, params: object) => ({ jsonrpc: '2.0', id, method, params });

/** What is in flight, how it comes about, and the method by which it shows. */
const inFlight: readonly (readonly [string, readonly object[], string])[] = [
  [
    'a call',
    [request(1, 'tools/call', { name: 'sleep', arguments: { ms: 600_000 }, _meta: { ...meta, progressToken: 'nap' } })],
    'notifications/progress',
  ],
  [
    'a subscription',
    [
      request(1, 'subscriptions/listen', {
        notifications: { toolsListChanged: true, resourceSubscriptions: ['test://watched-resource'] },
        _meta: meta,
      }),
    ],
    'notifications/resources/updated',
  ],
  [
    'a question of its own',
    [
      request(1, 'initialize', {
        protocolVersion: '2025-11-25',
        capabilities: { elicitation: {} },
        clientInfo: { name: 'silent', version: '1.0.0' },
      }),
      { jsonrpc: '2.0', method: 'notifications/initialized' },
      request(2, 'tools/call', { name: 'test_elicitation', arguments: { message: 'Well?' } }),
    ],
    'elicitation/create',
  ],
];

const endings = ['end of input', 'SIGTERM', 'SIGINT'] as const;

/** How long it may take to end, in milliseconds: what scripts wait for. */
const patienceMs = 5_000;

describe(program, () => {
  describe.each(inFlight)('with %s in flight', (_, frames, shows) => {
    it.each(endings)('exits by itself at %s', async (ending) => {
      const child = spawn(process.execPath, ['--import', 'tsx', program], {
        cwd: root,
        stdio: ['pipe', 'pipe', 'ignore'],
      });
      onTestFinished(() => void child.kill('SIGKILL'));
      for (const frame of frames) child.stdin.write(`${JSON.stringify(frame)}\n`);
      for await (const [line] of on(createInterface({ input: child.stdout }), 'line'))
        if ((JSON.parse(String(line)) as { readonly method?: string }).method === shows) break;
      const before = performance.now();
      if (ending === 'end of input') child.stdin.end();
      else child.kill(ending);
      expect(await once(child, 'exit')).toEqual([0, null]);
      expect(performance.now() - before).toBeLessThan(patienceMs);
    });
  });

  it.each([
    [['--transport', 'pigeon'], '--transport must be one of stdio, http, sse, ws; got "pigeon"'],
    [['--port', '70000'], '--port must be 0 to 65535; got "70000"'],
    [['--colour'], '--colour'],
  ])('says in a line that it cannot be started with %j, and exits with 2', async (args, why) => {
    const { code, stdout, stderr } = await run(program, ...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr.trim()).toContain(why);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  it('writes nothing to stdout by itself', async () => {
    expect(await run(program, '--transport', 'stdio')).toMatchObject({ code: 0, stdout: '', stderr: '' });
  });
});
