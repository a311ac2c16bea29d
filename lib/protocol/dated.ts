/**
 * What derives from a dated description: the schema of a revision, what validates by it, and what is left out for it.
 */
export { at, type Shape, type Span } from './object.ts';
export { prune } from './prune.ts';
export { validator } from './validate.ts';
