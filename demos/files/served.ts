/** What of a folder is served at all: the list, the reads and the search ask the same question. */

/** Made by tools, not by people; `.git` may also hold credentials. */
const passedOver: ReadonlySet<string> = new Set(['node_modules', '.git', 'dist']);

/**
 * Whether a path may be served.
 *
 * @param path - relative to the folder, `/` between its parts
 */
export const isServed = (path: string): boolean =>
  // Where upper and lower case are the same to the file system, `.GIT` is `.git`.
  !path.split('/').some((part) => passedOver.has(part.toLowerCase())) &&
  // Half of a character has no URI.
  !/\p{Surrogate}/u.test(path);
