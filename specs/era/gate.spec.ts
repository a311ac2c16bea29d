import { firstValueFrom, of } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { gate } from '../../lib/era/modern/gate.ts';
import type { Exchange } from '../../lib/exchange/exchange.ts';
import { codes } from '../../lib/frame/errors.ts';
import { extend, methods } from '../../lib/protocol/methods.ts';
import { metaKeys } from '../../lib/protocol/revisions.ts';

const inside: Exchange = ({ method }) => of({ result: { reached: method } });
const good = { [metaKeys.protocolVersion]: '2026-07-28', [metaKeys.clientCapabilities]: {} };

const ask = (
  method: string,
  params?: Readonly<Record<string, unknown>>,
  options?: Parameters<typeof gate>[0],
): Promise<unknown> =>
  firstValueFrom(gate(options)(inside)(params === undefined ? { method } : { method, params }, {})).catch(
    (error: unknown) => error,
  );

describe('the gate of 2026-07-28', () => {
  it('lets through what is well-formed', async () => {
    expect(await ask('tools/list', { _meta: good })).toEqual({ result: { reached: 'tools/list' } });
    expect(await ask('tools/list', { _meta: { ...good, 'example.com/x': 1, unknown: 2 }, more: 3 })).toEqual({
      result: { reached: 'tools/list' },
    });
  });

  it('asks for the required fields, and names the one that is missing (VER-04)', async () => {
    expect(await ask('tools/list')).toMatchObject({
      code: codes.invalidParams,
      message: expect.stringContaining('_meta') as string,
    });
    expect(await ask('tools/list', { _meta: [] })).toMatchObject({ code: codes.invalidParams });
    for (const key of [metaKeys.protocolVersion, metaKeys.clientCapabilities]) {
      const { [key]: _, ...rest }: Record<string, unknown> = good;
      expect(await ask('tools/list', { _meta: rest })).toMatchObject({
        code: codes.invalidParams,
        message: expect.stringContaining(key) as string,
      });
      expect(await ask('tools/list', { _meta: { ...good, [key]: 5 } })).toMatchObject({ code: codes.invalidParams });
    }
  });

  it('answers a version that it does not serve with those that it does (VER-05, ERR-10)', async () => {
    const versions = ['2099-01-01', '2025-11-25', '', 'latest', '__proto__'];
    for (const version of versions)
      expect(await ask('tools/list', { _meta: { ...good, [metaKeys.protocolVersion]: version } })).toMatchObject({
        code: codes.unsupportedProtocolVersion,
        data: { requested: version, supported: ['2026-07-28', 'draft'] },
      });
    expect(await ask('tools/list', { _meta: { ...good, [metaKeys.protocolVersion]: '2'.repeat(1e6) } })).toMatchObject({
      data: { requested: '2'.repeat(100) },
    });
    expect(await ask('tools/list', { _meta: good }, { revisions: ['draft'] })).toMatchObject({
      data: { supported: ['draft'] },
    });
  });

  it('tells a peer that opens as older revisions did what it serves (VER-32)', async () => {
    const opening = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'old', version: '1' } };
    const supported = ['2026-07-28'];
    const refusals: readonly (readonly [object | undefined, number])[] = [
      [undefined, codes.invalidParams],
      [{}, codes.invalidParams],
      [{ progressToken: 1 }, codes.invalidParams],
      [{ ...good, [metaKeys.clientCapabilities]: 5 }, codes.invalidParams],
      [{ ...good, [metaKeys.protocolVersion]: '2025-11-25' }, codes.unsupportedProtocolVersion],
      [{ ...good, [metaKeys.logLevel]: 'loud' }, codes.invalidParams],
      [good, codes.methodNotFound],
    ];
    for (const [_meta, code] of refusals)
      expect(
        await ask('initialize', _meta === undefined ? opening : { ...opening, _meta }, { revisions: ['2026-07-28'] }),
      ).toMatchObject({ code, data: { supported } });
    expect(await ask('ping', { _meta: good })).not.toHaveProperty('data.supported');
  });

  it('checks in this order: fields, version, method, parameters (AMB-03)', async () => {
    const version = { ...good, [metaKeys.protocolVersion]: '2099-01-01' };
    const { [metaKeys.clientCapabilities]: _, ...lacking } = version;
    const code = async (method: string, params: Readonly<Record<string, unknown>>) =>
      ((await ask(method, params)) as { code: number }).code;
    // Everything is wrong with the first, and one thing less with each that follows.
    expect(await code('no/such', { _meta: lacking, name: 5 })).toBe(codes.invalidParams);
    expect(await code('no/such', { _meta: version, name: 5 })).toBe(codes.unsupportedProtocolVersion);
    expect(await code('no/such', { _meta: good, name: 5 })).toBe(codes.methodNotFound);
    expect(await code('tools/call', { _meta: good, name: 5 })).toBe(codes.invalidParams);
  });

  it.each([
    'ping',
    'initialize',
    'resources/subscribe',
    'logging/setLevel',
    'notifications/progress',
    'notifications/cancelled',
    'constructor',
    'sampling/createMessage',
  ])('knows no %s (PING-06, VER-33)', async (method) => {
    expect(await ask(method, { _meta: good })).toMatchObject({ code: codes.methodNotFound });
  });

  it('refuses a log level that there is none (LOG-09)', async () => {
    expect(await ask('tools/list', { _meta: { ...good, [metaKeys.logLevel]: 'loud' } })).toMatchObject({
      code: codes.invalidParams,
    });
  });

  it('knows the methods of its table, and of no other', async () => {
    const row = methods['tools/list'];
    expect(await ask('example/list', { _meta: good }, { table: extend(methods, { 'example/list': row }) })).toEqual({
      result: { reached: 'example/list' },
    });
    expect(await ask('example/list', { _meta: good })).toMatchObject({ code: codes.methodNotFound });
  });
});
