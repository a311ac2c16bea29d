/**
 * The syntax of URI templates: text, and expressions in braces.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6570#section-2
 */

export interface Variable {
  readonly name: string;
  /** `{name*}`: each item of a list on its own. */
  readonly explode: boolean;
  /** `{name:3}`: at most so many characters. */
  readonly prefix?: number;
}

export type Operator = '' | '+' | '#' | '.' | '/' | ';' | '?' | '&';

export interface Expression {
  readonly operator: Operator;
  readonly variables: readonly Variable[];
}

/** What a template is made of, in order; neighbouring text is one string. */
export type Part = string | Expression;

/** A template longer than this is nobody's honest work, and what matching costs grows with it. */
const LONGEST = 2048;

const name = /^(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+(?:\.(?:[A-Za-z0-9_]|%[0-9A-Fa-f]{2})+)*$/;
/** RFC 6570, section 2.1, and the apostrophe, which its erratum allows. */
const text = /^(?:[^\p{Cc}\p{Cs} "%<>\\^`{|}]|%[0-9A-Fa-f]{2})*$/u;

/** The parts of a template, or what is wrong with it. */
export const parsed = (template: string): readonly Part[] | { readonly fault: string } => {
  if (template.length > LONGEST) return { fault: `it is longer than ${LONGEST} characters` };
  const parts: Part[] = [];
  for (let at = 0; at < template.length;) {
    const open = template.indexOf('{', at);
    const literal = template.slice(at, open === -1 ? undefined : open);
    if (!text.test(literal)) return { fault: `${JSON.stringify(literal)} holds what is no part of a URI` };
    if (literal !== '') parts.push(encoded(literal));
    if (open === -1) break;
    const close = template.indexOf('}', open);
    if (close === -1) return { fault: 'an expression has no closing brace' };
    const expression = expressionOf(template.slice(open + 1, close));
    if ('fault' in expression) return expression;
    parts.push(expression);
    at = close + 1;
  }
  return parts;
};

const expressionOf = (source: string): Expression | { readonly fault: string } => {
  const [, operator = '', list = ''] = /^([+#./;?&]?)(.*)$/s.exec(source) ?? [];
  const variables: Variable[] = [];
  for (const spec of list.split(',')) {
    const [, named = '', explode, digits] = /^(.*?)(?:(\*)|:([1-9][0-9]{0,3}))?$/s.exec(spec) ?? [];
    if (!name.test(named)) return { fault: `{${source}} is no expression` };
    variables.push({
      name: named,
      explode: explode !== undefined,
      ...(digits === undefined ? {} : { prefix: Number(digits) }),
    });
  }
  return isOperator(operator) ? { operator, variables } : { fault: `{${source}} is no expression` };
};

const operators: ReadonlySet<string> = new Set(['', '+', '#', '.', '/', ';', '?', '&']);

const isOperator = (operator: string): operator is Operator => operators.has(operator);

/** Text beyond ASCII as it stands in a URI. Escapes that are there already stay. */
export const encoded = (plain: string): string =>
  /[^\x00-\x7f]/.test(plain) ? plain.replace(/[^\x00-\x7f]+/gu, encodeURIComponent) : plain;
