/** What claims come to: who asks, and what they may. */
import type { Access } from '../../exchange/guard.ts';
import { isArray, isObject, type JsonObject } from '../../frame/frame.ts';
import { unverified, type Unverified, type Verified } from './verifier.ts';

/** What has been proved with a token. */
export interface Proved {
  readonly access: Access;
  /** Thumbprint of the key that it is bound to. */
  readonly jkt?: string;
}

/** How claims are read. */
export interface Reading {
  /** Who asks; by default, their subject. */
  readonly principal: ((claims: JsonObject) => string) | undefined;
  /** More than one issuer's tokens are taken. */
  readonly isShared: boolean;
  /** All that is granted with these scopes. */
  readonly implied: (granted: readonly string[]) => readonly string[];
}

/** What has been proved, or why that is nothing. */
export const proved = (token: string, { claims, expiresAt }: Verified, reading: Reading): Proved | Unverified => {
  const ends = expiresAt ?? (typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : undefined);
  if (ends !== undefined && !(ends > Date.now())) return unverified('the token has expired');
  const cnf = isObject(claims['cnf']) ? claims['cnf'] : {};
  // Nobody here has seen the certificate (RFC 8705).
  if (cnf['x5t#S256'] !== undefined) return unverified('the token is bound to a certificate');
  const { jkt } = cnf;
  if (jkt !== undefined && typeof jkt !== 'string') return unverified('the token is bound to what is no key');
  const principal = principalOf(claims, reading);
  if (principal === undefined) return unverified('the token names nobody');
  const clientId = [claims['client_id'], claims['azp']].find((id) => typeof id === 'string');
  const access: Access = frozen({
    principal,
    scopes: reading.implied(granted(claims['scope'] ?? claims['scp'])),
    ...(clientId === undefined ? undefined : { clientId }),
    ...(ends === undefined ? undefined : { expiresAt: ends }),
    // Some endpoints repeat what they were asked about.
    claims: Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== token)),
  });
  return jkt === undefined ? { access } : { access, jkt };
};

/** As one text (RFC 9068), or as a list. */
const granted = (scope: unknown): readonly string[] => {
  const listed = typeof scope === 'string' ? scope.split(' ') : isArray(scope) ? scope : [];
  return listed.filter((one): one is string => typeof one === 'string' && one !== '');
};

/** What no subject is left to begin with: those that do are marked too. */
const clientMark = 'client ';
const subjectMark = 'sub ';

const subjectName = (sub: string): string =>
  sub.startsWith(clientMark) || sub.startsWith(subjectMark) ? subjectMark + sub : sub;

const nameOf = ({ sub, client_id }: JsonObject): string | undefined => {
  if (typeof sub === 'string') return isBlank(sub) ? undefined : subjectName(sub);
  return typeof client_id === 'string' && !isBlank(client_id) ? clientMark + client_id : undefined;
};

const isBlank = (text: string): boolean => text.trim() === '';

const principalOf = (claims: JsonObject, { principal, isShared }: Reading): string | undefined => {
  if (principal !== undefined) return chosen(principal, claims);
  const name = nameOf(claims);
  if (name === undefined || !isShared) return name;
  // No issuer has a space in it, so that nobody can say another's name.
  const { iss } = claims;
  return typeof iss === 'string' && /^\S+$/.test(iss) ? `${iss} ${name}` : undefined;
};

const chosen = (principal: (claims: JsonObject) => string, claims: JsonObject): string | undefined => {
  try {
    const name: unknown = principal(claims);
    return typeof name === 'string' && !isBlank(name) ? name : undefined;
  } catch {
    return undefined;
  }
};

/** All requests share it. */
const frozen = <T extends object>(root: T): T => {
  const left: object[] = [root];
  for (const one of left) {
    // Bytes cannot be frozen, and what goes round in circles is met again.
    if (Object.isFrozen(one) || ArrayBuffer.isView(one)) continue;
    Object.freeze(one);
    const values: readonly unknown[] = Object.values(one);
    for (const value of values) if (typeof value === 'object' && value !== null) left.push(value);
  }
  return root;
};
