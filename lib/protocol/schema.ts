/**
 * The seam: the only file that imports `@effect/schema`. That package has since moved into `effect` itself; when this
 * project follows, this file changes and no other.
 */

/**
 * Effect Schema, for the input and output of tools. Take it from here: the one in newer versions of `effect` is another.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#json-schema-usage
 */
export * as Schema from '@effect/schema/Schema';
export * as AST from '@effect/schema/AST';
export * as ParseResult from '@effect/schema/ParseResult';
export * as JSONSchema from '@effect/schema/JSONSchema';
export { isSchema } from '@effect/schema/Schema';
