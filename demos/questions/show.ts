/** How this demo looks: what the user sees at the left, what goes over the wire further in, and both eras at last side by side. */
import { paint } from '../story/paint.ts';
import { good, say } from '../story/tell.ts';
import { plain } from './plain.ts';
import type { Visit, Showing } from './visit.ts';
import type { Event } from './witness.ts';
import type { Line } from './wire.ts';

const arrow = ({ way }: Line): string => (way === 'out' ? '→' : '←');
const tone = ({ asks }: Line) => (asks ? paint.name : paint.quiet);

const wireLine = (line: Line): void => console.log(`${' '.repeat(12)}${tone(line)(`${arrow(line)} ${line.text}`)}`);

const text = (value: unknown): string => plain(JSON.stringify(value) ?? '');

/** @param seated - whether a person sees the questions anyway */
const eventLine =
  (seated: boolean) =>
  ([kind, ...what]: Event): void => {
    if (kind === 'progress') say(`${paint.good('▸')} ${String(what[0])}/${String(what[1])} ${plain(String(what[2]))}`);
    if (kind === 'asked' && !seated) say(`${paint.strong('?')} ${plain(summary(what[1]))}`);
    if (kind === 'answered') say(`${paint.strong('=')} ${text(what[1])}`);
    if (kind === 'result') good(text(what[0]));
    if (kind === 'failed') say(paint.bad('the call has ended: what the server needed was refused'));
  };

/** A question in a line: its message, and the page that it leads to. */
const summary = (question: unknown): string => {
  if (typeof question !== 'object' || question === null) return '';
  const { message, url }: { readonly message?: unknown; readonly url?: unknown } = question;
  if (message === undefined) return 'a question to the model';
  return `${String(message)}${url === undefined ? '' : ` ${String(url)}`}`;
};

export const showing = (seated: boolean): Showing => ({ event: eventLine(seated), line: wireLine });

const fitted = (line: string, width: number): string =>
  line.length > width ? `${line.slice(0, width - 1)}…` : line.padEnd(width);

/** @param columns - how wide the terminal is */
export const sideBySide = (visits: readonly Visit[], columns = 110): void => {
  const width = Math.max(24, Math.min(58, Math.floor((columns - 4) / visits.length) - 3));
  const row = (cells: readonly string[]): void => say(cells.join(paint.quiet(' │ ')).trimEnd());
  row(visits.map(({ revision }) => paint.strong(fitted(revision, width))));
  for (const index of Array(Math.max(...visits.map(({ wire }) => wire.length))).keys())
    row(
      visits.map(({ wire }) => {
        const line = wire[index];
        return line === undefined ? ' '.repeat(width) : tone(line)(fitted(`${arrow(line)} ${line.text}`, width));
      }),
    );
};
