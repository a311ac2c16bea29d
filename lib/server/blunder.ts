/** What a handler threw, in words that may leave this machine: no stack, no path, no more than a few lines. */
const longest = 2000;

/** URLs stay; what looks like a path of the file system, Unix or Windows, goes. */
const paths = /(https?:\/\/[^\s"'<>]+)|(?:file:\/\/)?(?:\b[A-Za-z]:)?(?:[\\/]{1,2}[^\s\\/:"'<>|]+){2,}[\\/]?/g;

/** A line of a stack, which some errors carry in their message. */
const frames = /^[ \t]*at [^\n]*\n?/gm;

/**
 * The message of an error, safe to show to a peer; undefined where what was thrown says nothing.
 *
 * @example
 * blunder(new Error("ENOENT: no such file, open '/home/ada/notes.txt'")); // "ENOENT: no such file, open '[path]'"
 */
export const blunder = (thrown: unknown): string | undefined => {
  // What calls itself an Error need not keep to its type.
  const message: unknown = thrown instanceof Error ? thrown.message : thrown;
  if (typeof message !== 'string') return undefined;
  const said = message.slice(0, longest).replace(frames, '').trimEnd();
  return said === '' ? undefined : said.replace(paths, (_, url: string | undefined) => url ?? '[path]');
};
