/** A guard that takes anybody's word: `Bearer ada` is Ada; `later` makes it take its time. Only `root` may call `delete`. */
import { throwError } from 'rxjs';
import type { Exchange, JsonObject, Served } from 'rxmcp';
import { isDenied, type Access, type Denial, type Guard, type Knock } from '../../../lib/exchange/guard.ts';
import { invalidRequest } from '../../../lib/frame/errors.ts';

export const documentPath = '/.well-known/oauth-protected-resource/mcp';
export const documentText = '{"resource":"https://mcp.example/mcp"}';

export const challenge = 'Bearer resource_metadata="https://mcp.example/m"';
const missing: Denial = { status: 401, message: 'a token is needed', headers: { 'www-authenticate': challenge } };
export const insufficient = 'Bearer error="insufficient_scope", scope="files:write"';

export interface FakeGuard extends Guard {
  /** All who have knocked. */
  readonly knocks: Knock[];
  /** From now on they wait until {@link FakeGuard.answer}. */
  readonly hold: () => void;
  readonly answer: () => void;
  readonly waiting: () => number;
}

const verdictOn = ({ headers }: Knock): Access | Denial => {
  const { authorization } = headers;
  if (authorization === undefined) return missing;
  if (authorization === 'Bearer unknowable')
    return { status: 503, message: 'not now', headers: { 'retry-after': '5' } };
  const [, principal, proof = 'first'] = /^Bearer (\w+)(?: ?\/(\w+))?$/.exec(authorization) ?? [];
  if (principal === undefined)
    return { status: 400, message: 'malformed', headers: { 'www-authenticate': 'Bearer error="x"\r\nx-evil: 1' } };
  return { principal, scopes: principal === 'root' ? ['files:write'] : [], claims: { proof } };
};

export const fakeGuard = (): FakeGuard => {
  const knocks: Knock[] = [];
  const waiting: (() => void)[] = [];
  let held = false;
  return {
    knocks,
    hold: () => void (held = true),
    answer: () => {
      held = false;
      for (const go of waiting.splice(0)) go();
    },
    waiting: () => waiting.length,
    document: (path) => (path === documentPath ? documentText : undefined),
    admit: (knock) => {
      knocks.push(knock);
      const verdict = verdictOn(knock);
      return held ? new Promise((resolve) => waiting.push(() => resolve(verdict))) : verdict;
    },
    judge: ({ method, params }, { scopes }) =>
      method === 'tools/call' && params?.['name'] === 'delete' && !scopes.includes('files:write')
        ? { status: 403, message: 'not with these scopes', headers: { 'www-authenticate': insufficient } }
        : undefined,
  };
};

/** Puts a guard before a server, which serves only those who are known, as `authorize` does. */
export const protect = (guard: Guard, served: Served): Served => {
  const known: Exchange = (request, context) =>
    context.access === undefined || isDenied(context.access)
      ? throwError(() => invalidRequest('nobody has said who asks'))
      : served(request, context);
  return Object.assign(known, { guard });
};

/** A caller's own header. */
export const as = (name: string): Record<string, string> => ({ authorization: `Bearer ${name}` });

export const json = async (response: Response): Promise<JsonObject> => (await response.json()) as JsonObject;
