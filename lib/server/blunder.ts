/** What a handler threw, in words that may leave this machine: no stack, no path, no more than a few lines. */
const longest = 2000;

const segment = String.raw`[^\s\\/:"'\x60<>|]+`;
const further = String.raw`[\\/]+${segment}`;
/** Where a word begins, so that none is looked at twice: that keeps the search linear. */
const begin = String.raw`(?<=^|[\s(:="'\x60<>|])`;
const absolute = String.raw`(?:[\\/~]|[A-Za-z]:[\\/])`;

/** URLs stay; what looks like a path of the file system, Unix or Windows, goes. */
const paths = new RegExp(
  [
    String.raw`(https?:\/\/[^\s"'\x60<>]+)`,
    // Quoted, it may hold spaces. A quote that the cut has left open goes on to the end.
    ...["'", '"', String.raw`\x60`].map((quote) => `(?<=${quote})${absolute}[^${quote}]+`),
    String.raw`\bfile:\/\/\/?(?:[A-Za-z]:)?[^\s:"'\x60<>|]*`,
    String.raw`\b[A-Za-z]:${further}(?:${further})*[\\/]*`,
    String.raw`${begin}~[\w.-]*(?:${further})+[\\/]*`,
    // Two slashes after a colon begin the host of some URI.
    String.raw`${begin}(?!(?<=:)\/\/)${further}(?:${further})*[\\/]*`,
    String.raw`(?<=:)${further}(?:${further})+[\\/]*`,
    // With one slash it may as well be a fraction, a media type, or `and/or`.
    String.raw`${begin}[^\s\\/:"'\x60<>|(=]+(?:${further}){2,}[\\/]*`,
  ].join('|'),
  'g',
);

/** A line of a stack, which some errors carry in their message. */
const frames = /^[ \t]*at [^\n]*\n?/gm;

/** Node's system errors know what they are about, whatever characters it has. */
const withoutOwn = (message: string, thrown: unknown): string => {
  if (!(thrown instanceof Error) || !('syscall' in thrown)) return message;
  const own = ['path' in thrown ? thrown.path : undefined, 'dest' in thrown ? thrown.dest : undefined];
  return own.reduce((said: string, path) => {
    if (typeof path !== 'string' || path === '') return said;
    const quotedGone = said.replaceAll(`'${path}'`, "'[path]'");
    // A name of a letter or two would be found in words.
    return path.length < 3 ? quotedGone : quotedGone.replaceAll(path, '[path]');
  }, message);
};

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
  const said = withoutOwn(message, thrown).slice(0, longest).replace(frames, '').trimEnd();
  return said === '' ? undefined : said.replace(paths, (path, url?: string) => url ?? `[path]${closing(path)}`);
};

/** What of a sentence or a bracket ends right after a path. */
const closing = (path: string): string => /[).,;]{1,3}$/.exec(path)?.[0] ?? '';
