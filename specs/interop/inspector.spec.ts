/** The MCP Inspector's command line drives demos/everything over stdio: all that it can ask for, in both eras. */
import { beforeAll, describe, expect, it } from 'vitest';
import { folders } from './folders.ts';
import { call, eras, some, type Refusal, type Row } from './inspected.ts';
import { available, type Inspection } from './inspector.ts';
import { lifelines } from './lifelines.ts';

const everything = [process.execPath, '--import', 'tsx', 'demos/everything/server.ts'];

/** Set before the first run; the Inspector keeps nothing there unless asked to. */
let home = '';
const { inspect, missing, named } = await available(() => home);

const ask = (env: Readonly<Record<string, string>>, ...question: readonly string[]): Promise<Inspection> =>
  inspect(everything, question, env);

describe.skipIf(missing !== undefined)(`the Inspector${named}`, () => {
  describe.each(eras)('and demos/everything, $era', ({ era, revision, rows, refused }) => {
    const processes = lifelines();
    const folder = folders();

    const asked = (question: readonly string[]) => ask(processes.env, ...question, '--protocol-era', era);

    beforeAll(async () => {
      home = await folder();
    });

    it('connects', async () => {
      expect(await asked(['--method', 'initialize'])).toMatchObject({
        code: 0,
        result: {
          protocolVersion: revision,
          serverInfo: { name: some, version: some },
          capabilities: {
            tools: { listChanged: true },
            prompts: { listChanged: true },
            resources: { subscribe: true, listChanged: true },
            completions: {},
          },
        },
      });
      // By itself, once it has been asked: nobody closes the Inspector.
      await processes.gone();
    });

    it.each<Row>(rows)('asks for %s', async (_what, question, result) => {
      const answer = await asked(question);
      expect(answer).toMatchObject({ code: 0, error: undefined, result });
    });

    it.runIf(refused.length > 0).each<Refusal>(refused)(
      'hears of %s',
      async (_what, question, code, message, result) => {
        const answer = await asked(question);
        expect(answer).toMatchObject({ code, error: { message: expect.stringMatching(message) } });
        if (result === undefined) expect(answer.result).toBeUndefined();
        else expect(answer.result).toMatchObject(result);
      },
    );
  });

  describe('and a load on demos/everything', () => {
    const processes = lifelines();
    const folder = folders();

    beforeAll(async () => {
      home = await folder();
    });

    it.each(['legacy', 'modern'])('has every one of many calls at once answered, %s', async (era) => {
      const load = ['--load', '--load-requests', '500', '--load-concurrency', '50', '--protocol-era', era];
      const { result } = await ask(processes.env, ...call('sleep', 'ms=1'), ...load);
      expect(result).toMatchObject({ requests: 500, ok: 500, toolErrors: 0, errors: 0 });
    });
  });
});
