/** `npm run conformance`: what it runs, what it leaves out, and that it fails where anything does. */
import { describe, expect, it, vi } from 'vitest';
import { aside } from '../../.scripts/aside.ts';
import { scenariosIn } from '../../.scripts/conformance/plan.ts';
import { table } from '../../.scripts/conformance/report.ts';
import { run } from '../demos/demo.ts';

const listed = `Required for 2026-07-28 (3 scenarios, frozen; run at the 2026-07-28 wire):

Server scenarios (test against a server):
  - server-stateless

Client scenarios (test against a client):
  - tools_call
  - auth/basic-cimd

Run and reported, but never scored:
  extension (1):
    - tasks-lifecycle [server]
  pending (1):
    - json-schema-2020-12-preservation [client]

`;

describe('the scenarios of a requirement set', () => {
  const set = '2026-07-28';

  it('are all there: those that are run, and those that are left out, with the reason', () => {
    const wanted = { set, unscored: undefined, leftOut: undefined };
    expect(scenariosIn(listed, set)).toEqual([
      { ...wanted, name: 'server-stateless', leg: 'server' },
      { ...wanted, name: 'tools_call', leg: 'client' },
      { ...wanted, name: 'auth/basic-cimd', leg: 'client' },
      {
        ...wanted,
        name: 'tasks-lifecycle',
        leg: 'server',
        unscored: 'extension',
        leftOut: 'waits for the tasks extension',
      },
      { ...wanted, name: 'json-schema-2020-12-preservation', leg: 'client', unscored: 'pending' },
    ]);
  });

  it.each([
    ['says nothing', ''],
    ['counts more than it names', listed.replace('(3 scenarios', '(4 scenarios')],
    ['has lost its headings', listed.replaceAll(/ scenarios \(test.*/g, '')],
  ])('are not guessed where the list %s', (_, text) => {
    expect(() => scenariosIn(text, set)).toThrow('the list for 2026-07-28 is not understood');
  });

  it('are counted by set and leg, and named where they are left out', () => {
    const scenarios = scenariosIn(listed, set);
    const verdicts = scenarios
      .filter(({ leftOut }) => leftOut === undefined)
      .map((scenario, index) => ({
        scenario,
        passed: index !== 1,
        good: 1,
        skipped: 0,
        complaints: [],
        seconds: 1,
        folder: '',
      }));
    const lines = table(scenarios, verdicts)
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/));
    expect(lines).toEqual([
      ['set and leg', 'passed', 'failed', 'left out'],
      ['2026-07-28', 'client', '2', '1', '0'],
      ['2026-07-28', 'server', '1', '0', '1'],
      ['left out, waits for the tasks extension (2026-07-28, server): tasks-lifecycle'],
    ]);
  });
});

const missing = await aside().then(
  () => undefined,
  (error: unknown) => String(error),
);

describe.skipIf(missing !== undefined)(`npm run conformance${missing === undefined ? '' : `: ${missing}`}`, () => {
  const conformance = (...args: readonly string[]) => run('.scripts/conformance.ts', ...args);

  it.each([
    ['server', '2025-11-25', 'ping'],
    ['client', '2026-07-28', 'tools_call'],
  ])('passes, and leaves nothing: %s %s %s', async (leg, set, name) => {
    const { code, stdout, stderr, files } = await conformance('--leg', leg, '--set', set, '--scenario', name);
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    expect(stdout).toContain(`✓ ${set} ${leg} ${name}: 1 checks`);
  });

  it('fails where a check does, and says which, and keeps what was said', async () => {
    const { code, stdout, files } = await conformance('--scenario', 'ping', '--url', 'http://127.0.0.1:1/mcp');
    expect(code).toBe(1);
    expect(stdout).toMatch(/^✗ 2025-11-25 server ping: 0 checks.*\n {4}failed ping: .*\n.*fetch failed/m);
    expect(stdout).toMatch(/all of it: \S*rxmcp-conformance-/);
    expect(files).toEqual([expect.stringMatching(/^rxmcp-conformance-/)]);
  });

  it('fails where a client does, though it was given a second chance', async () => {
    // Every Node that is started looks at this; the client alone is told of a scenario.
    const dying = 'if (process.env.MCP_CONFORMANCE_SCENARIO) process.exit(3)';
    vi.stubEnv('NODE_OPTIONS', `--import=data:text/javascript,${encodeURIComponent(dying)}`);
    const { code, stdout } = await conformance('--scenario', 'auth/dpop', '--set', '2025-11-25');
    vi.unstubAllEnvs();
    expect(code).toBe(1);
    expect(stdout.match(/^✗ 2025-11-25 client auth\/dpop \(unscored\)/gm)).toHaveLength(2);
    expect(stdout).toContain('again, alone:');
  });

  it.each([
    [['--leg', 'both'], '--leg must be one of server, client'],
    [['--set', '2024-11-05'], '--set must be one of 2025-11-25, 2026-07-28'],
    [['--scenario', 'nope'], 'there is no scenario nope'],
    [['--fast'], '--fast'],
  ])('says in a line that it cannot begin with %j, and exits with 2', async (args, why) => {
    const { code, stderr } = await conformance(...args);
    expect(code).toBe(2);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(stderr).toContain(why);
  });
});
