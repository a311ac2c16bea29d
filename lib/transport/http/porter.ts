/**
 * Asks the guard of an exchange, and says by HTTP what it has said: of each request before its body is read, and of what
 * is in the body before that reaches anything.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#access-token-usage
 */
import { isDenied, type Access, type Denial, type Guard } from '../../exchange/guard.ts';
import { codes, Misconfigured, RpcError } from '../../frame/errors.ts';
import { tell, type RequestFrame, type RequestId } from '../../frame/frame.ts';
import { refusal } from './answer.ts';
import type { HttpDesk, Identify } from './desk.ts';
import type { HttpHeaders, HttpRequest, Refusal } from './message.ts';

/** Stands between a guard and those who come by HTTP. */
export interface Porter {
  readonly identify: Identify;
  /** What a message is refused with that may not be sent; undefined: it may. */
  judge(frame: RequestFrame, request: HttpRequest): Refusal | undefined;
  /** The same for an array, which one request is enough to refuse. */
  judgeAll(items: readonly unknown[], request: HttpRequest): Refusal | undefined;
}

/** Puts a guard at a desk, which tells its host where nobody can say who asks, and lets pages read refusals. */
export const porter = (guard: Guard, desk: Pick<HttpDesk, 'unknown' | 'readable'>): Porter => {
  const known = (request: HttpRequest, answer: Access | Denial): HttpRequest | Refusal =>
    isDenied(answer) ? desk.readable(turnedAway(answer), request) : proven(request, answer);
  const turnedAway = (denial: Denial): Refusal => {
    // That it cannot be told who asks is the host's trouble, not theirs.
    if (denial.status === 503) desk.unknown(new Error(denial.message));
    return denied(denial);
  };
  const failed = (request: HttpRequest, error: unknown): Refusal => desk.readable(desk.unknown(error), request);

  const judge: Porter['judge'] = (frame, { access }) => {
    // Without it, whoever asks is refused by what they ask.
    if (access === undefined) return undefined;
    try {
      const denial = guard.judge(frame, access);
      return denial === undefined ? undefined : denied(denial, frame.id);
    } catch (error) {
      return desk.unknown(error);
    }
  };

  return {
    identify: (request, path) => {
      const { method, headers } = request;
      try {
        const answer = guard.admit({ method, path, headers });
        if (!isLater(answer)) return known(request, answer);
        return answer.then(
          (settled) => known(request, settled),
          (error: unknown) => failed(request, error),
        );
      } catch (error) {
        return failed(request, error);
      }
    },
    judge,
    judgeAll: (items, request) => {
      for (const item of items) {
        const told = tell(item);
        const refused = told.kind === 'request' ? judge(told.frame, request) : undefined;
        if (refused !== undefined) return refused;
      }
      return undefined;
    },
  };
};

/** Whether an answer is still to come. */
export const isLater = <T extends object>(answer: T | Promise<T>): answer is Promise<T> => 'then' in answer;

/** A refusal as an adapter gets it in place of a request. */
export const isRefusal = (identified: HttpRequest | Refusal): identified is Refusal => 'status' in identified;

/**
 * There is one who says whose a request is.
 *
 * @throws {@link Misconfigured} where there are two
 */
export const assertSole = (guard: Guard | undefined, principal: unknown): void => {
  if (guard !== undefined && principal !== undefined)
    throw new Misconfigured({
      message: 'the option principal and the guard of what is served (authorize) both say who asks: leave one out',
    });
};

/** What headers say besides a proof, which is for nobody behind the door: it could be used elsewhere (AUTHS-13). */
export const withoutProof = (headers: HttpHeaders): HttpHeaders => {
  const { authorization: _, dpop: __, cookie: ___, 'proxy-authorization': ____, ...rest } = headers;
  return rest;
};

/** What a header cannot say. */
const unsayable = /[^\t\x20-\x7e]/g;

/** What goes with a denial, as it can be sent: a header of two lines would be two headers. */
export const headersOf = ({ headers }: Denial): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(unsayable, ' ')]));

const denied = (denial: Denial, id?: RequestId): Refusal => {
  const { status, message } = denial;
  const code = status < 500 ? codes.invalidRequest : codes.internalError;
  return refusal(status, new RpcError({ code, message }), id, headersOf(denial));
};

const proven = ({ method, headers }: HttpRequest, access: Access): HttpRequest => ({
  method,
  headers: withoutProof(headers),
  principal: access.principal,
  access,
});
