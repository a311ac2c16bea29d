/** The conformance client against servers of our own over TCP, as the referee starts it. */
import { ConnectionClosed, type Exchange } from 'rxmcp';
import { LoginFailed } from 'rxmcp/auth';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { serving } from '../../../demos/compose/serving.ts';
import { ending, logins } from '../../../demos/everything/conformance/login.ts';
import { target } from '../../../demos/everything/conformance/target.ts';
import { taskOf } from '../../../demos/everything/conformance/task.ts';
import { everything } from '../../../demos/everything/everything.ts';
import { run, type Told } from '../demo.ts';
import { referee } from './referee.ts';

const program = 'demos/everything/conformance-client.ts';

interface Setting {
  readonly url?: string;
  readonly exchange?: Exchange;
  readonly version?: string;
  readonly context?: unknown;
}

const play = async (scenario: string, { url, exchange, version, context }: Setting): Promise<Told> => {
  vi.stubEnv('MCP_CONFORMANCE_SCENARIO', scenario);
  vi.stubEnv('MCP_CONFORMANCE_PROTOCOL_VERSION', version);
  vi.stubEnv('MCP_CONFORMANCE_CONTEXT', context === undefined ? undefined : JSON.stringify(context));
  onTestFinished(() => void vi.unstubAllEnvs());
  if (exchange === undefined) return run(program, url ?? '');
  const { port, ...rest } = await serving(exchange);
  onTestFinished(() => rest[Symbol.dispose]());
  return run(program, `tcp://127.0.0.1:${port}`);
};

const good = { code: 0, stdout: '', stderr: '' };
const versions = ['2025-11-25', '2026-07-28'] as const;
const calls = (asked: readonly string[]) => asked.filter((each) => each.startsWith('tools/call'));

describe(program, () => {
  it('shakes hands and looks at the tools', async () => {
    const { exchange, asked } = referee();
    expect(await play('initialize', { exchange, version: '2025-11-25' })).toMatchObject(good);
    expect(asked.filter((each) => each === 'tools/list')).toHaveLength(1);
  });

  it.each(versions)('calls a tool at %s', async (version) => {
    const { exchange, asked, params } = referee();
    expect(await play('tools_call', { exchange, version })).toMatchObject(good);
    expect(calls(asked)).toEqual(['tools/call add_numbers']);
    expect(params.at(-1)).toMatchObject({ arguments: { a: expect.any(Number), b: expect.any(Number) } });
    expect(asked.includes('tools/list')).toBe(true);
  });

  it('says who it is and what it can do, with each request (CAP-04)', async () => {
    const { exchange, params } = referee();
    expect(await play('request-metadata', { exchange, version: '2026-07-28' })).toMatchObject(good);
    for (const { _meta } of params)
      expect(_meta).toMatchObject({
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'rxmcp-conformance' },
        'io.modelcontextprotocol/clientCapabilities': { roots: {}, sampling: {}, elicitation: { form: {} } },
      });
  });

  it('sends the defaults of a form (ELI-10)', async () => {
    const { exchange, told } = referee();
    const setting = { exchange, version: '2025-11-25' };
    expect(await play('elicitation-sep1034-client-defaults', setting)).toMatchObject(good);
    expect(told).toEqual([
      {
        action: 'accept',
        content: { name: 'John Doe', age: 30, score: 95.5, status: 'active', verified: true },
      },
    ]);
  });

  it('hands back state, and to nobody else (MRTR-22)', async () => {
    const { exchange, asked, params, told } = referee();
    expect(await play('sep-2322-client-request-state', { exchange, version: '2026-07-28' })).toMatchObject(good);
    const confirmed = { action: 'accept', content: { confirmed: true } };
    expect(told).toEqual([
      ['test_mrtr_echo_state', confirmed],
      ['test_mrtr_no_state', confirmed],
    ]);
    expect(calls(asked)).toHaveLength(6);
    for (const each of params.filter(({ name }) =>
      ['test_mrtr_unrelated', 'test_mrtr_no_result_type'].includes(String(name)),
    ))
      expect(Object.keys(each).sort()).toEqual(['_meta', 'arguments', 'name']);
  });

  it('hands back a schema as it was listed (JS-12)', async () => {
    const { exchange, told } = referee();
    const setting = { exchange, version: '2025-11-25' };
    expect(await play('json-schema-2020-12-preservation', setting)).toMatchObject(good);
    expect(told).toMatchObject([
      { $defs: { address: { $anchor: 'addressDef' } }, if: {}, additionalProperties: false },
    ]);
  });

  it('makes the calls that the context has', async () => {
    const { exchange, params } = referee();
    const context = { toolCalls: [{ name: 'test_custom_headers', arguments: { region: 'us', verbose: null } }] };
    expect(await play('http-custom-headers', { exchange, context })).toMatchObject(good);
    expect(params.at(-1)).toMatchObject({ arguments: { region: 'us', verbose: null } });
  });

  it('asks for everything by its name', async () => {
    const { exchange, asked } = referee();
    expect(await play('http-standard-headers', { exchange, version: '2026-07-28' })).toMatchObject(good);
    expect(new Set(asked)).toContain('resources/read file:///path/to/file%20name.txt');
    expect(new Set(asked)).toContain('prompts/get test_prompt');
    expect(new Set(asked)).toContain('tools/call test_reconnection');
  });

  it('waits for an answer that comes late', async () => {
    expect(await play('sse-retry', { exchange: everything(), version: '2025-11-25' })).toMatchObject(good);
  });

  it('exits with 1 where the scenario goes wrong', async () => {
    const { code, stderr } = await play('tools_call', { exchange: everything() });
    expect(code).toBe(1);
    expect(stderr).toContain('add_numbers');
  });

  it.each([
    ['tools_call', { url: '127.0.0.1:1' }, '"127.0.0.1:1" is no URL'],
    ['tasks-lifecycle', { url: 'tcp://127.0.0.1:1' }, 'there is no scenario "tasks-lifecycle" here yet'],
    ['auth/pre-registration', { url: 'http://127.0.0.1:1', context: { client_id: 'a' } }, 'client_secret'],
  ])('exits with 2 where it cannot begin: %s %j', async (scenario, setting, why) => {
    const { code, stderr } = await play(scenario, setting);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  it('is content with a login that fails where it is to, and nowhere else', async () => {
    const failing = (stage: LoginFailed['stage']) => async () => {
      const cause = new LoginFailed({ stage, message: 'nobody is let in' });
      throw new ConnectionClosed({ message: 'refused', cause });
    };
    await ending('discovery', failing('discovery'));
    await ending('in', async () => 'something');
    await expect(ending('discovery', failing('network'))).rejects.toThrow('refused');
    await expect(ending('discovery', async () => 'something')).rejects.toThrow('the login was to fail: discovery');
    await expect(ending('in', failing('discovery'))).rejects.toThrow('refused');
    await expect(ending('scope', () => Promise.reject(new Error('other')))).rejects.toThrow('other');
  });

  it('expects a login to fail in those scenarios only where somebody deceives it', () => {
    const failing = [...logins].flatMap(([name, { ends }]) => (ends === 'in' ? [] : [`${name}: ${ends}`]));
    expect(failing.sort()).toEqual([
      'auth/iss-normalized: authorization',
      'auth/iss-supported-missing: authorization',
      'auth/iss-unexpected: authorization',
      'auth/iss-wrong-issuer: authorization',
      'auth/metadata-issuer-mismatch: discovery',
      'auth/resource-mismatch: discovery',
      'auth/scope-retry-limit: scope',
    ]);
  });

  it.each([
    ['ftp://localhost', 'there is no way to ftp:'],
    ['localhost', '"localhost" is no URL'],
  ])('has no way to %s', (url, why) => {
    expect(() => target(url)).toThrow(why);
  });

  it.each([
    [[], {}, 'usage'],
    [['x'], {}, 'MCP_CONFORMANCE_SCENARIO is not set'],
    [['x'], { MCP_CONFORMANCE_PROTOCOL_VERSION: '1999-01-01' }, '"1999-01-01" is no revision known here'],
    [['x'], { MCP_CONFORMANCE_CONTEXT: '1' }, 'MCP_CONFORMANCE_CONTEXT is no JSON object'],
    [['x'], { MCP_CONFORMANCE_CONTEXT: '{' }, 'JSON'],
  ])('makes no sense of %j with %j', (argv, env, why) => {
    const named = Object.keys(env).length === 0 ? {} : { MCP_CONFORMANCE_SCENARIO: 'tools_call' };
    expect(() => taskOf(argv, { ...named, ...env })).toThrow(why);
  });
});
