/** Requests to authorization servers: over private ways only, without redirects, bounded in size and time. */
import { TaggedError } from 'effect/Data';
import { quoted } from '../../frame/errors.ts';
import { isPrivateWay } from './resource-uri.ts';

/** What makes a request, as `fetch` does. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** Who should have said whether a token holds could not be asked, or made no sense. No token is in it. */
export class Unreachable extends TaggedError('Unreachable')<{
  readonly message: string;
  /** Of HTTP, where there was an answer. */
  readonly status?: number;
  readonly cause?: unknown;
}> {}

const timeoutMs = 5000;
const maxBytes = 1024 * 1024;

const textOf = async (response: Response): Promise<string> => {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let [text, bytes] = ['', 0];
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      await reader.cancel();
      throw new Error(`the answer is longer than ${maxBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
};

/** Fails with {@link Unreachable} unless there is an answer in time, and it is 200. A signal that came along is not heard. */
export const bounded =
  (request: Fetch | undefined): Fetch =>
  async (url, init) => {
    if (!URL.canParse(url)) throw new Unreachable({ message: `${quoted(url)} is no URL` });
    const { origin } = new URL(url);
    if (!isPrivateWay(new URL(url)))
      throw new Unreachable({ message: `${quoted(url)} must be https:, or http: on a loopback address` });
    const late = new AbortController();
    // `AbortSignal.timeout` would tick on after the answer.
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      const response = await (request ?? fetch)(url, { ...init, redirect: 'manual', signal: late.signal });
      const { status } = response;
      if (status === 200) return new Response(await textOf(response), { headers: response.headers });
      await response.body?.cancel();
      throw new Unreachable({ status, message: `${origin} answered ${status}` });
    } catch (cause) {
      if (cause instanceof Unreachable) throw cause;
      throw new Unreachable({ message: `${origin} could not be asked: ${String(cause)}`, cause });
    } finally {
      clearTimeout(timer);
    }
  };

/** Whoever has just failed is left alone for a moment, in milliseconds. */
const restMs = 1000;

/** Does something once for all who want it; what failed is tried again, but not at once. */
export const once = <T>(make: () => Promise<T>): { readonly get: () => Promise<T>; readonly forget: () => void } => {
  let made: Promise<T> | undefined;
  let failedAt: number | undefined;
  const forget = (): void => {
    made = undefined;
    failedAt = undefined;
  };
  return {
    forget,
    get: () => {
      if (failedAt !== undefined && Math.abs(Date.now() - failedAt) >= restMs) forget();
      if (made !== undefined) return made;
      const now = make();
      made = now;
      now.catch(() => {
        if (made === now) failedAt = Date.now();
      });
      return now;
    },
  };
};

/** The same request, but a failure is repeated for a moment instead of asking again. */
export const resting = (request: Fetch): Fetch => {
  let failure: { readonly at: number; readonly error: unknown } | undefined;
  return async (url, init) => {
    if (failure !== undefined && Math.abs(Date.now() - failure.at) < restMs) throw failure.error;
    try {
      const response = await request(url, init);
      failure = undefined;
      return response;
    } catch (error) {
      failure = { at: Date.now(), error };
      throw error;
    }
  };
};
