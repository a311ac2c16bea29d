/**
 * Plays the client's part in a scenario of the official conformance suite; the suite starts it and watches what it does.
 *
 *     MCP_CONFORMANCE_SCENARIO=tools_call node --import tsx demos/everything/conformance-client.ts <server-url>
 */
import { open, type Answers } from 'rxmcp';
import { ending, logins } from './conformance/login.ts';
import { scenarios } from './conformance/scenarios.ts';
import { target } from './conformance/target.ts';
import { taskOf } from './conformance/task.ts';

/** Everything can be asked; a form is sent with what it begins with, and yes where it asks for one. */
const answers: Answers = {
  form: ({ schema }) => ({
    action: 'accept',
    content: Object.hasOwn(schema.properties, 'confirmed') ? { confirmed: true } : {},
  }),
  sample: () => ({ role: 'assistant', model: 'conformance', content: { type: 'text', text: 'Hello' } }),
  roots: [],
};

/** What can be told before anything is sent: exit code 2. */
const prepared = () => {
  const task = taskOf(process.argv.slice(2), process.env);
  const scenario = scenarios.get(task.scenario);
  if (scenario === undefined) throw new Error(`there is no scenario ${JSON.stringify(task.scenario)} here yet`);
  const login = logins.get(task.scenario);
  return { ...task, scenario, to: target(task.url, login?.by(task.context)), ends: login?.ends ?? 'in' };
};

const complain = (code: 1 | 2, error: unknown): void => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = code;
};

try {
  const { scenario, to, revision, context, ends } = prepared();
  const play = async (): Promise<void> => {
    await using client = await open(to, {
      answers,
      info: { name: 'rxmcp-conformance', version: '1.0.0' },
      ...(revision === undefined ? undefined : { revisions: [revision] }),
    });
    await scenario(client, context);
  };
  try {
    await ending(ends, play);
  } catch (error) {
    complain(1, error);
  }
} catch (error) {
  complain(2, error);
}
