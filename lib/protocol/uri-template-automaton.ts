/**
 * The automaton that matches a URI against the parts of a template. Every state but a fork consumes at least one
 * character, and what a state can do depends only on where it stands: so one pass from the end of the URI says for each
 * state and place whether the end can be reached from there, and one walk from the start follows only ways that do.
 */
import type { Expression, Part, Variable } from './uri-template-syntax.ts';

/** A value that was found for a variable, still escaped. */
export interface Capture {
  readonly variable: Variable;
  text: string;
}

export interface Automaton {
  /** How many states it has: the memory and time of a run are this times the length of the URI. */
  readonly states: number;
  /** The captures of one way through the URI, or undefined where there is none. */
  readonly run: (uri: string) => readonly Capture[] | undefined;
}

type State =
  | { readonly kind: 'end' }
  /** Goes the first of these ways that leads to the end. Its ways are older states, so that they are known before it. */
  | { readonly kind: 'fork'; readonly ways: readonly number[] }
  /** This text. Where it is the name of a parameter, an empty capture begins. */
  | { readonly kind: 'text'; readonly text: string; next: number; readonly names: Variable | undefined }
  /** One or more characters of an alphabet: a new capture, or the value of the one that a name began. */
  | {
      readonly kind: 'run';
      readonly alphabet: number;
      readonly variable: Variable;
      readonly named: boolean;
      next: number;
    };

const UNRESERVED = 1;
const RESERVED = 2;
const QUERY = 4;

/** The alphabets that each ASCII character belongs to. Escapes belong to all of them. */
const alphabets = ((): Uint8Array => {
  const table = new Uint8Array(128);
  const allow = (characters: string, alphabet: number) => {
    for (const character of characters) {
      const code = character.charCodeAt(0);
      table[code] = (table[code] ?? 0) | alphabet;
    }
  };
  allow('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~', UNRESERVED | RESERVED | QUERY);
  allow(":/?#[]@!$&'()*+,;=", RESERVED);
  // Expansion escapes all of these; people who write a query by hand leave most of them as they are.
  allow(":/?[]@!$'()*+,;=", QUERY);
  return table;
})();

export const automaton = (parts: readonly Part[]): Automaton => {
  const states: State[] = [{ kind: 'end' }];
  const add = (state: State): number => states.push(state) - 1;
  const text = (of: string, next: number, names?: Variable): number => add({ kind: 'text', text: of, next, names });
  const fork = (...ways: readonly number[]): number => add({ kind: 'fork', ways });

  /** Values in the order of their variables, each there. */
  const positional = ({ operator, variables }: Expression, exit: number): number => {
    const separator = operator === '.' || operator === '/' ? operator : ',';
    const alphabet = operator === '+' || operator === '#' ? RESERVED : UNRESERVED;
    let next = exit;
    for (const [index, variable] of [...variables.entries()].reverse()) {
      if (variable.explode) {
        const again = { kind: 'text' as const, text: separator, next: 0, names: undefined };
        next = fork(next, add(again));
        next = again.next = add({ kind: 'run', alphabet, variable, named: false, next });
      } else next = add({ kind: 'run', alphabet, variable, named: false, next });
      if (index > 0) next = text(separator, next);
    }
    return operator === '' || operator === '+' ? next : text(operator, next);
  };

  /** Parameters with their names, in any order, or none. */
  const named = ({ operator, variables }: Expression, exit: number): number => {
    const alphabet = operator === ';' ? UNRESERVED : QUERY;
    const separator = { kind: 'text' as const, text: operator === ';' ? ';' : '&', next: 0, names: undefined };
    const after = fork(add(separator), exit);
    const names = variables.map((variable) => {
      const value = add({ kind: 'run', alphabet, variable, named: true, next: after });
      return text(variable.name, fork(text('=', fork(value, after)), after), variable);
    });
    separator.next = fork(...names);
    return fork(text(operator, separator.next), exit);
  };

  // The text that a template begins with tells most URIs apart from it at once, and needs no states.
  const begins = typeof parts[0] === 'string' ? parts[0] : '';
  let start = 0;
  for (const part of parts.slice(begins === '' ? 0 : 1).reverse())
    start =
      typeof part === 'string' ? text(part, start) : (/[;?&]/.test(part.operator) ? named : positional)(part, start);

  return {
    states: states.length,
    run: (uri) => {
      if (!uri.startsWith(begins)) return undefined;
      const rest = uri.slice(begins.length);
      const steps = stepsOf(rest);
      return steps === undefined ? undefined : walked(states, start, rest, steps, reachesEnd(states, rest, steps));
    },
  };
};

/**
 * How long the character is that begins at each place: one, or the escapes of one character of UTF-8; 0 inside of them.
 * Undefined where an escape is malformed.
 */
const stepsOf = (uri: string): Uint8Array | undefined => {
  const steps = new Uint8Array(uri.length + 1);
  for (let at = 0; at < uri.length; at += steps[at] ?? 1) {
    if (uri.charCodeAt(at) !== 0x25) {
      steps[at] = 1;
      continue;
    }
    const byte = byteAt(uri, at);
    const bytes = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
    if (bytes === 0) return undefined;
    for (let more = 1; more < bytes; more++) if ((byteAt(uri, at + 3 * more) & 0xc0) !== 0x80) return undefined;
    steps[at] = 3 * bytes;
  }
  return steps;
};

/** The byte that is escaped at a place; 255, which begins no character, where there is none. */
const byteAt = (uri: string, at: number): number => {
  const escape = uri.slice(at, at + 3);
  return /^%[0-9A-Fa-f]{2}$/.test(escape) ? Number.parseInt(escape.slice(1), 16) : 0xff;
};

/** For each place and state, whether the end of the URI can be reached from there. */
const reachesEnd = (states: readonly State[], uri: string, steps: Uint8Array): Uint8Array => {
  const count = states.length;
  const reaches = new Uint8Array((uri.length + 1) * count);
  const from = (at: number, state: number): boolean => reaches[at * count + state] === 1;
  /** For runs with a bound: to the nearest place where the run may end, in characters. */
  const nearest = new Map<number, Uint32Array>();
  for (const [index, state] of states.entries())
    if (state.kind === 'run' && state.variable.prefix !== undefined)
      nearest.set(index, new Uint32Array(uri.length + 1));
  for (let at = uri.length; at >= 0; at--) {
    const step = steps[at] ?? 0;
    const code = uri.charCodeAt(at);
    const allowed = step === 0 ? 0 : code === 0x25 ? 0xff : (alphabets[code] ?? 0);
    for (let index = 0; index < count; index++) {
      const state = states[index];
      if (state === undefined) continue;
      let reached = false;
      switch (state.kind) {
        case 'end':
          reached = at === uri.length;
          break;
        case 'fork':
          for (const way of state.ways) reached ||= from(at, way);
          break;
        case 'text':
          reached = from(at + state.text.length, state.next) && uri.startsWith(state.text, at);
          break;
        case 'run': {
          if ((allowed & state.alphabet) === 0) break;
          const distances = state.variable.prefix === undefined ? undefined : nearest.get(index);
          if (distances === undefined) reached = from(at + step, state.next) || from(at + step, index);
          else {
            const onward = distances[at + step] ?? 0;
            const distance = from(at + step, state.next) ? 1 : onward > 0 ? onward + 1 : 0;
            distances[at] = distance;
            reached = distance > 0 && distance <= (state.variable.prefix ?? 0);
          }
        }
      }
      if (reached) reaches[at * count + index] = 1;
    }
  }
  return reaches;
};

/** Follows the ways that lead to the end; a run ends at the first place where it may. */
const walked = (
  states: readonly State[],
  start: number,
  uri: string,
  steps: Uint8Array,
  reaches: Uint8Array,
): readonly Capture[] | undefined => {
  const from = (at: number, state: number): boolean => reaches[at * states.length + state] === 1;
  if (!from(0, start)) return undefined;
  const captures: Capture[] = [];
  for (let at = 0, index: number | undefined = start; ;) {
    const state: State | undefined = index === undefined ? undefined : states[index];
    if (state === undefined || state.kind === 'end') return captures;
    const here: number = at;
    switch (state.kind) {
      case 'fork':
        index = state.ways.find((way) => from(here, way));
        break;
      case 'text':
        if (state.names !== undefined) captures.push({ variable: state.names, text: '' });
        at += state.text.length;
        index = state.next;
        break;
      case 'run': {
        do at += steps[at] ?? 1;
        while (!from(at, state.next));
        const value = uri.slice(here, at);
        const opened = state.named ? captures.at(-1) : undefined;
        if (opened === undefined) captures.push({ variable: state.variable, text: value });
        else opened.text = value;
        index = state.next;
      }
    }
  }
};
