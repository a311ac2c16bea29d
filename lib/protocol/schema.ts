/**
 * The seam: the only file that imports `@effect/schema`. That package has since moved into `effect` itself; when this
 * project follows, this file changes and no other.
 */
export * as Schema from '@effect/schema/Schema';
export * as AST from '@effect/schema/AST';
export * as ParseResult from '@effect/schema/ParseResult';
export * as JSONSchema from '@effect/schema/JSONSchema';
export { isSchema } from '@effect/schema/Schema';
