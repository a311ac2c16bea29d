/** Colour for people at a terminal; plain text for everything else. */
const coloured = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;

const style = (code: number) => (text: string) => (coloured ? `\x1b[${code}m${text}\x1b[0m` : text);

export const paint = { strong: style(1), quiet: style(2), good: style(32), bad: style(31), name: style(36) };
