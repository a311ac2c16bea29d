/** A budget for the compiler: types that are too clever make editors slow, and nobody notices which commit did it. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tsc = join(root, 'node_modules/typescript/bin/tsc');

/** Half as much again as it was when this was written: 54,000 to import the library, 4,300 for each tool. */
const budget = { importing: 81_000, tool: 6_500 };

const importing = `import { connect, inMemory, Schema, server, tool } from ${JSON.stringify(join(root, 'lib/index.ts'))};\n`;

/** A server of so many tools, and a client that calls each. */
const program = (count: number): string => {
  const tools = Array.from(
    { length: count },
    (_, n) => `  tool('tool${n}', {
    input: Schema.Struct({ a${n}: Schema.String, b: Schema.optional(Schema.Number), c: Schema.Array(Schema.Struct({ d: Schema.Date })) }),
    output: Schema.Struct({ e${n}: Schema.Number }),
  }, ({ a${n} }) => ({ e${n}: a${n}.length })),`,
  );
  const calls = Array.from(
    { length: count },
    (_, n) => `  client.call('tool${n}', { a${n}: 'x', c: [{ d: '2026' }] });`,
  );
  return `${importing}
const made = server(
  { name: 's', version: '1' },
${tools.join('\n')}
);
export const use = () => connect<typeof made>(inMemory(made)).subscribe((client) => {
${calls.join('\n')}
});
`;
};

const instantiations = async (source: string): Promise<number> => {
  const folder = mkdtempSync(join(tmpdir(), 'rxmcp-types-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'program.mts'), source);
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        paths: {},
        rewriteRelativeImportExtensions: false,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: ['program.mts'],
    }),
  );
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '--project', folder, '--extendedDiagnostics']);
  return Number(/Instantiations:\s+(\d+)/.exec(stdout)?.[1]);
};

it('fifty typed tools and a client stay within the budget of type instantiations', { timeout: 120_000 }, async () => {
  const [nothing, fifty] = await Promise.all([
    instantiations(`${importing}export const all = [connect, inMemory, Schema, server, tool];\n`),
    instantiations(program(50)),
  ]);
  expect(nothing).toBeGreaterThan(10_000);
  expect(nothing).toBeLessThan(budget.importing);
  expect((fifty - nothing) / 50).toBeLessThan(budget.tool);
});
