/** What a server sends is not to be trusted with a terminal: shown as text, whatever it is. */

/** Controls, and what turns or hides the letters beside it; an emoji is joined by one of these. */
const tricks = /(?!\u200d)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * Text on one line, with what a terminal would act on made visible.
 *
 * @example
 * plain('a\x1b[2J'); // 'a\u{1b}[2J'
 */
export const plain = (text: string): string =>
  text.replaceAll(tricks, (letter) => `\\u{${(letter.codePointAt(0) ?? 0).toString(16)}}`);

/** The same, line by line. */
export const plainLines = (text: string): readonly string[] => text.split(/\r?\n/).map(plain);
