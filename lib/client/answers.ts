/** What a client makes of results: defaults filled in, shapes checked, structured content held against its schema. */
import { InvalidAnswer, quoted } from '../frame/errors.ts';
import type { JsonObject } from '../frame/frame.ts';
import { validator } from '../protocol/dated.ts';
import type { Row } from '../protocol/methods.ts';
import { latestRevision } from '../protocol/revisions.ts';
import type { Tool } from '../protocol/tool.ts';
import { jsonSchemaValidator } from '../shape/json-schema.ts';
import type { ResultCheck } from './request.ts';

/** Checks the results of one method (RPC-21, RPC-22). */
export const answersOf = (method: string, { result: schema, cacheable }: Row): ResultCheck => {
  const problem = schema === undefined ? () => undefined : validator(schema, latestRevision);
  return (given) => {
    const result = completed(given, cacheable === true);
    const { resultType } = result;
    if (resultType === 'input_required')
      throw new InvalidAnswer({ method, message: `${method} must not ask for input, and the server did (MRTR-03)` });
    if (resultType !== 'complete')
      throw new InvalidAnswer({
        method,
        message: `the answer to ${method} has an unknown resultType: ${quoted(resultType)}`,
      });
    const flaw = problem(result);
    if (flaw !== undefined)
      throw new InvalidAnswer({ method, message: `the answer to ${method} is not valid: ${flaw}` });
    return result;
  };
};

/** An absent result type means complete (RPC-21); absent cache hints mean: do not keep (AMB-16). */
const completed = (result: JsonObject, cacheable: boolean): JsonObject => {
  if (
    result['resultType'] !== undefined &&
    (!cacheable || (result['ttlMs'] !== undefined && result['cacheScope'] !== undefined))
  )
    return result;
  return cacheable
    ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...result }
    : { resultType: 'complete', ...result };
};

/** The output schemas of the tools that a client has listed; results of others go unchecked. */
export interface OutputSchemas {
  readonly learn: (tools: readonly Tool[]) => void;
  /** @throws InvalidAnswer where a result does not fit the tool's own schema (TOOL-13) */
  readonly check: (name: string, result: JsonObject) => void;
}

export const outputSchemas = (): OutputSchemas => {
  const schemas = new Map<string, JsonObject>();
  const compiled = new Map<string, (value: unknown) => string | undefined>();
  const wrong = (name: string, why: string): InvalidAnswer =>
    new InvalidAnswer({ method: 'tools/call', message: `the result of tool ${name} ${why}` });
  /** A schema that cannot be used is the server's fault, and says nothing about the others. */
  const checkOf = (name: string, schema: JsonObject): ((value: unknown) => string | undefined) => {
    const known = compiled.get(name);
    if (known !== undefined) return known;
    try {
      const check = jsonSchemaValidator(schema, `tool ${JSON.stringify(name)}, output`, { patterns: false });
      compiled.set(name, check);
      return check;
    } catch (error) {
      throw wrong(name, `cannot be checked: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  return {
    learn: (tools) => {
      for (const { name, outputSchema } of tools) {
        compiled.delete(name);
        if (outputSchema === undefined) schemas.delete(name);
        else schemas.set(name, outputSchema);
      }
    },
    check: (name, result) => {
      const schema = schemas.get(name);
      // A tool that failed owes no structured content (AMB-07).
      if (schema === undefined || result['isError'] === true) return;
      if (result['structuredContent'] === undefined)
        throw wrong(name, 'lacks the structured content that its output schema promises');
      const problem = checkOf(name, schema)(result['structuredContent']);
      if (problem !== undefined) throw wrong(name, `does not fit its output schema: ${problem}`);
    },
  };
};
