/** Stands at the door of a protected resource. */
import type { Access, Denial, Guard, Knock } from '../../exchange/guard.ts';
import type { Request } from '../../exchange/exchange.ts';
import { proved, type Proved, type Reading } from './access.ts';
import { denial, unavailable, type Dpop, type Flaw } from './challenge.ts';
import { credentialsIn, type Credentials } from './credentials.ts';
import type { Bound } from './dpop-proof.ts';
import type { ResourceMetadata } from './metadata.ts';
import type { ResourceUri } from './resource-uri.ts';
import type { Needs } from './scopes.ts';
import { Verdicts } from './verdicts.ts';
import type { Unverified, Verifier } from './verifier.ts';

/** What a guard goes by. */
export interface GuardSetting {
  readonly resource: () => ResourceUri;
  readonly metadata: ResourceMetadata;
  readonly verify: Verifier;
  readonly needs: Needs;
  readonly reading: Reading;
  readonly dpop: Dpop;
  /** What is wrong with a proof of possession. */
  readonly proofFlaw: (bound: Bound) => Promise<Flaw | undefined>;
  readonly cacheMs: number | undefined;
  readonly maxCached: number;
  readonly onFailure: (error: unknown) => void;
}

/** What a token has come to: a proof, and what all are told who bring it. */
interface Known extends Proved {
  readonly answer: Access | Denial;
}

const bearer = 'Bearer ';

/** Makes a guard. What a token has come to is remembered for as long as that may be. */
export const guardOf = (setting: GuardSetting): Guard => {
  const { resource, metadata, verify, needs, reading, dpop, proofFlaw, maxCached, onFailure } = setting;
  const { cacheMs = verify.cacheMs } = setting;
  const verdicts = new Verdicts<Known>(maxCached);
  const pending = new Map<string, Promise<Known | Unverified>>();
  /** What the verdicts are about. */
  let about: ResourceUri | undefined;

  const current = (): ResourceUri => {
    const now = resource();
    if (now === about) return now;
    // What was meant for one is not meant for another.
    verdicts.clear();
    pending.clear();
    about = now;
    return now;
  };

  const refuse = (flaw?: Flaw): Denial => denial(current(), dpop, needs.base, flaw);

  const lacking = (required: readonly string[], { scopes }: Access): Denial | undefined =>
    required.every((scope) => scopes.includes(scope))
      ? undefined
      : refuse({
          error: 'insufficient_scope',
          description: 'this needs more scopes than have been granted',
          scopes: required,
        });

  /** Until when a verdict holds: what never ends is remembered only where somebody has said for how long. */
  const until = ({ expiresAt = cacheMs === undefined ? 0 : Infinity }: Access): number =>
    Math.min(expiresAt, Date.now() + (cacheMs ?? Infinity));

  const examine = async (token: string, of: ResourceUri): Promise<Known | Unverified> => {
    const verdict = await inTime(verify.verify(token, of.uri));
    const found = 'refused' in verdict ? verdict : proved(token, verdict, reading);
    if ('refused' in found) return found;
    const known: Known = { ...found, answer: lacking(needs.base, found.access) ?? found.access };
    if (about === of) verdicts.keep(token, known, until(found.access));
    return known;
  };

  /** Whoever brings the same token at the same time waits for the same. */
  const known = (token: string, of: ResourceUri): Promise<Known | Unverified> => {
    const shared = pending.get(token);
    if (shared !== undefined) return shared;
    const asked = examine(token, of).finally(() => {
      if (pending.get(token) === asked) pending.delete(token);
    });
    pending.set(token, asked);
    return asked;
  };

  const settle = async ({ scheme, token }: Credentials, knock: Knock): Promise<Access | Denial> => {
    const of = current();
    const found = verdicts.get(token) ?? (await known(token, of));
    const invalid = (description: string): Denial => refuse({ error: 'invalid_token', description, scheme });
    if ('refused' in found) return invalid(found.refused.includes(token) ? 'the token does not hold' : found.refused);
    const { jkt, answer } = found;
    if (scheme === 'Bearer') {
      if (jkt !== undefined) return invalid('the token is bound to a key, and came without a proof of possession');
      return dpop === 'required' ? invalid('only tokens that are bound to a key are taken here') : answer;
    }
    if (jkt === undefined) return invalid('the token is bound to no key');
    const flaw = await proofFlaw({ token, jkt, knock, resource: of });
    return flaw === undefined ? answer : refuse(flaw);
  };

  const failed = (error: unknown): Denial => {
    try {
      onFailure(error);
    } catch {
      // Nobody is let in because of it, nor kept waiting.
    }
    return unavailable;
  };

  const look = (knock: Knock): Access | Denial | Promise<Access | Denial> => {
    const credentials = credentialsIn(knock.headers['authorization']);
    if (credentials === 'malformed')
      return refuse({ error: 'invalid_request', description: 'there must be one token, after one word' });
    if (credentials === undefined || (credentials.scheme === 'DPoP' && dpop === false)) return refuse();
    return settle(credentials, knock).catch(failed);
  };

  return {
    document: (path) => {
      try {
        return resource().metadataPaths.includes(path) ? JSON.stringify(metadata) : undefined;
      } catch (error) {
        failed(error);
        return undefined;
      }
    },
    admit: (knock) => {
      try {
        current();
        const header = knock.headers['authorization'];
        if (dpop !== 'required' && header?.startsWith(bearer) === true) {
          const found = verdicts.get(header.slice(bearer.length));
          if (found !== undefined && found.jkt === undefined) return found.answer;
        }
        return look(knock);
      } catch (error) {
        return failed(error);
      }
    },
    judge: (request: Request, access: Access) => {
      try {
        return lacking(needs.of(request), access);
      } catch (error) {
        return failed(error);
      }
    },
  };
};

/** How long it may take to find out whether a token holds, in milliseconds; our own verifiers take less. */
const longestMs = 15_000;

const inTime = async <T>(verdict: Promise<T>): Promise<T> => {
  let clock: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    clock = setTimeout(() => reject(new Error(`no verdict on a token within ${longestMs} ms`)), longestMs);
  });
  return Promise.race([verdict, late]).finally(() => clearTimeout(clock));
};
