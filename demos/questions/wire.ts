/** What goes over the wire, a line for each message: requests of the server in one era, rounds of the client in the other. */
import { Observable, tap } from 'rxjs';
import type { Channel, JsonObject } from 'rxmcp';
import { plain } from './plain.ts';

export interface Line {
  readonly way: 'out' | 'in';
  readonly text: string;
  /** Whether this is how the server asks, or how it is answered. */
  readonly asks: boolean;
}

/** A channel is a function between streams of messages: who listens in needs no more than two `tap`s. */
export const watched =
  (channel: Channel, see: (line: Line) => void): Channel =>
  (outbound) =>
    new Observable((subscriber) => {
      const told = teller();
      return channel(outbound.pipe(tap((frame) => see(told('out', frame)))))
        .pipe(tap((frame) => see(told('in', frame))))
        .subscribe(subscriber);
    });

const isObject = (value: unknown): value is JsonObject => typeof value === 'object' && value !== null;
const objectAt = (value: unknown, key: string): JsonObject => {
  const inner = isObject(value) ? value[key] : undefined;
  return isObject(inner) ? inner : {};
};

/** `elicitation/create (form)` for questions, which all else is not. */
const question = ({ method, params }: JsonObject): string => {
  const { mode } = isObject(params) ? params : {};
  return `${String(method)}${typeof mode === 'string' ? ` (${mode})` : ''}`;
};

const questions: readonly unknown[] = ['elicitation/create', 'sampling/createMessage', 'roots/list'];

/** Names messages in the order in which they go by: an answer is named after its request. */
const teller = () => {
  const [ours, theirs] = [new Map<unknown, string>(), new Map<unknown, string>()];
  return (way: Line['way'], frame: unknown): Line => {
    const message = isObject(frame) ? frame : {};
    const { id, method } = message;
    const [asked, answered] = way === 'out' ? [ours, theirs] : [theirs, ours];
    if (method === undefined) return { way, ...answerText(message, answered.get(id) ?? 'something') };
    if (id !== undefined) asked.set(id, String(method));
    return { way, text: plain(requestText(message)), asks: questions.includes(method) || isAgain(message) };
  };
};

const isAgain = ({ params }: JsonObject): boolean => isObject(params) && 'inputResponses' in params;

const requestText = (message: JsonObject): string => {
  const { method, params } = message;
  const { name, progress, total, requestState } = isObject(params) ? params : {};
  if (questions.includes(method)) return question(message);
  if (method === 'notifications/progress') return `progress ${String(progress)}/${String(total)}`;
  const text = `${String(method)}${typeof name === 'string' ? ` ${name}` : ''}`;
  if (!isAgain(message)) return text;
  const keys = Object.keys(objectAt(params, 'inputResponses')).join(', ');
  return `${text} again: ${keys}${typeof requestState === 'string' ? `, state (${requestState.length})` : ''}`;
};

const answerText = (message: JsonObject, method: string): Omit<Line, 'way'> => {
  const { error } = message;
  const { resultType, action } = objectAt(message, 'result');
  if (isObject(error)) return { text: plain(`error of ${method}: ${String(error['message'])}`), asks: false };
  if (resultType === 'input_required') {
    const asked = Object.entries(objectAt(message['result'], 'inputRequests'));
    const text = asked.map(([key, one]) => `${key}: ${question(isObject(one) ? one : {})}`).join(', ');
    return { text: plain(`input_required, ${text}`), asks: true };
  }
  const said = typeof action === 'string' ? `: ${action}` : '';
  return { text: plain(`result of ${method}${said}`), asks: questions.includes(method) };
};
