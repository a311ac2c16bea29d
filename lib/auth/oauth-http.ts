/** Requests to authorization servers: to nobody whom they may not go to, bounded in size and time, and never redirected. */
import { quoted } from '../frame/errors.ts';
import { isObject, type JsonObject } from '../frame/frame.ts';
import { parse } from '../frame/json.ts';
import { isUnproved, LoginFailed } from '../frame/login-failed.ts';
import { Unreadable } from '../frame/unreadable.ts';
import type { Reach } from '../transport/remote/authorizer.ts';
import type { Carrier, HttpCall } from '../transport/remote/carrier.ts';

/** As `fetch`, as far as `oauth4webapi` needs it. */
export type OauthFetch = (url: string, options: OauthFetchOptions) => Promise<Response>;

export interface OauthFetchOptions {
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly body?: URLSearchParams | string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What an answer says, where that is a JSON object: pages say all sorts of things. */
export const objectIn = async (response: Response): Promise<JsonObject | undefined> => {
  const value = parse(await response.clone().text());
  return isObject(value) && !(value instanceof Unreadable) ? value : undefined;
};

/** How long an authorization server may take to answer, in milliseconds. */
const longestMs = 10_000;
/** The longest answer, in characters. */
const longestText = 1024 * 1024;
/** How many redirects within one origin are followed, where nothing is sent. */
const mostHops = 3;

/** The headers of an answer that anybody looks at. */
const read = ['content-type', 'www-authenticate', 'dpop-nonce', 'retry-after'];

/** Where nothing that is sent twice can do harm. */
const bodiless: ReadonlySet<number> = new Set([204, 205, 304]);

/**
 * @param carrier - makes the requests
 * @param reach - whom they may go to
 * @returns rejects with a {@link LoginFailed} that may pass where nobody answers, one that does not where it is not allowed
 */
export const oauthFetch =
  (carrier: Carrier, reach: Reach): OauthFetch =>
  async (url, { method = 'GET', headers = {}, body, signal }) => {
    let at = new URL(url);
    for (let hops = 0; ; hops += 1) {
      const problem = reach.urlProblem(at);
      if (problem !== undefined) throw new LoginFailed({ stage: 'network', message: problem });
      const call: HttpCall = {
        method: method === 'POST' ? 'POST' : 'GET',
        url: at.href,
        headers: { accept: 'application/json', ...headers },
        body: body?.toString(),
      };
      const { response, location } = await carried(carrier, call, signal);
      if (location === undefined) return response;
      const to = URL.canParse(location, at) ? new URL(location, at) : undefined;
      if (to?.origin !== at.origin || call.method !== 'GET' || hops === mostHops) {
        const where = to === undefined ? 'nowhere' : quoted(to.host);
        throw new LoginFailed({ stage: 'network', message: `${at.host} redirects to ${where}, which is not followed` });
      }
      at = to;
    }
  };

interface Carried {
  readonly response: Response;
  /** Where it redirects to. */
  readonly location: string | undefined;
}

const carried = (carrier: Carrier, call: HttpCall, signal: AbortSignal | undefined): Promise<Carried> =>
  new Promise((resolve, reject) => {
    const { host } = new URL(call.url);
    let status = 0;
    let location: string | undefined;
    let text = '';
    const known = new Headers();
    const over = (): void => {
      clearTimeout(clock);
      signal?.removeEventListener('abort', aborted);
    };
    const fail = (message: string, cause?: unknown): void => {
      over();
      reject(new LoginFailed({ stage: 'network', message, passing: true, ...(cause === undefined ? {} : { cause }) }));
    };
    const giveUp = (message: string): void => {
      abort();
      fail(message);
    };
    const aborted = (): void => giveUp('the login was given up');
    const clock = setTimeout(() => giveUp(`${host} did not answer within ${longestMs} ms`), longestMs);
    signal?.addEventListener('abort', aborted);
    const abort = carrier(call, {
      head: (given, header) => {
        status = given;
        if (given >= 300 && given < 400 && given !== 304) location = header('location') ?? '';
        for (const name of read) {
          const value = header(name);
          if (value !== undefined) known.set(name, value);
        }
      },
      text: (part) => {
        text += part;
        if (text.length > longestText) giveUp(`${host} answered with more than ${longestText} characters`);
      },
      end: () => {
        over();
        if (status < 200 || status > 599) return fail(`${host} answered with HTTP status ${status}`);
        const response = new Response(bodiless.has(status) ? null : text, { status, headers: known });
        resolve({ response, location });
      },
      failed: (error) => {
        // Whoever looked the name up may have found that nobody should be sent there: that does not pass.
        if (!isUnproved(error)) return fail(`${host} cannot be asked: ${error.message}`, error);
        over();
        reject(error.cause instanceof Error ? error.cause : error);
      },
    });
    if (signal?.aborted === true) aborted();
  });
