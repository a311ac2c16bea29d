/** The MCP Inspector's command line drives one demos/everything over the network: all that it can ask for, in both eras. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listening, type Listening } from '../demos/everything/listening.ts';
import { folders } from './folders.ts';
import { call, eras, some, type Refusal, type Row } from './inspected.ts';
import { available } from './inspector.ts';
import { lifelines } from './lifelines.ts';

let home = '';
const { inspect, missing, named } = await available(() => home);

/** A server for all questions of a suite, which it is asked over connections of their own. */
const serving = (transport: 'http' | 'sse') => {
  const processes = lifelines();
  const folder = folders();
  let server: Listening | undefined;

  beforeAll(async () => {
    home = await folder();
    server = await listening(transport, processes.env);
  });
  afterAll(async () => {
    await server?.stop();
    await processes.gone();
  });
  return (question: readonly string[], era: string) =>
    inspect([server?.url ?? ''], [...question, '--protocol-era', era], {});
};

describe.skipIf(missing !== undefined)(`the Inspector${named}`, () => {
  describe.each(eras)('and demos/everything over HTTP, $era', ({ era, revision, rows, refused }) => {
    const asked = serving('http');

    it('connects', async () => {
      expect(await asked(['--method', 'initialize'], era)).toMatchObject({
        code: 0,
        result: { protocolVersion: revision, serverInfo: { name: some } },
      });
    });

    it.each<Row>(rows)('asks for %s', async (_what, question, result) => {
      expect(await asked(question, era)).toMatchObject({ code: 0, error: undefined, result });
    });

    it.runIf(refused.length > 0).each<Refusal>(refused)('hears of %s', async (_what, question, code, message) => {
      expect(await asked(question, era)).toMatchObject({ code, error: { message: expect.stringMatching(message) } });
    });

    it.runIf(refused.length > 0)('has every one of many calls at once answered', async () => {
      const load = ['--load', '--load-requests', '500', '--load-concurrency', '50'];
      const { result } = await asked([...call('sleep', 'ms=1'), ...load], era);
      expect(result).toMatchObject({ requests: 500, ok: 500, toolErrors: 0, errors: 0 });
    });
  });

  describe('and demos/everything over SSE', () => {
    const asked = serving('sse');
    const [{ rows, revision }] = eras;

    it('connects', async () => {
      expect(await asked(['--method', 'initialize'], 'legacy')).toMatchObject({
        code: 0,
        result: { protocolVersion: revision },
      });
    });

    it.each<Row>(rows)('asks for %s', async (_what, question, result) => {
      expect(await asked(question, 'legacy')).toMatchObject({ code: 0, error: undefined, result });
    });
  });
});
