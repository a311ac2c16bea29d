/** As long as can be waited for: a timer takes any longer time, `Infinity` among them, for none at all. */

/** The longest that a timer can wait, in milliseconds. */
const longestMs = 2 ** 31 - 1;

/** What a timer is set to that is to wait for so long. */
export const atLongest = (ms: number): number => Math.min(ms, longestMs);
