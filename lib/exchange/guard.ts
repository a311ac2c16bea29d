/**
 * What an exchange wants to be known of whoever asks it, before anything is asked. Edges that can ask for a proof (HTTP,
 * the opening of a WebSocket) do so; what has come over any other is not let in.
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization
 */
import type { JsonObject } from '../frame/frame.ts';
import type { Request } from './exchange.ts';

/** What somebody has proved. */
export interface Access {
  /** Who asks: the one name under which everything of theirs is kept apart from everybody else's. */
  readonly principal: string;
  /** What they may do, those that are implied by others included. */
  readonly scopes: readonly string[];
  /** The application that asks for them. */
  readonly clientId?: string;
  /** Until when this holds, in milliseconds since 1970. */
  readonly expiresAt?: number;
  /** What was said of them by whoever issued the proof; never the proof itself. */
  readonly claims: JsonObject;
}

/** Why somebody is not let in, as they are told by HTTP. */
export interface Denial {
  /** 400: malformed; 401: no proof, or none that holds; 403: not enough of it; 503: it cannot be told now. */
  readonly status: 400 | 401 | 403 | 503;
  readonly message: string;
  /** What goes with the status, as `www-authenticate`; names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** A request at the door: its head. */
export interface Knock {
  /** In upper case. */
  readonly method: string;
  /** Of the URL, from its first slash, without a query. */
  readonly path: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
}

/** Stands at the door of an exchange. */
export interface Guard {
  /** Anybody may read these: JSON, by path; undefined where there is nothing. */
  document(path: string): string | undefined;
  /** Who sent this, or why they are not let in. At once where it is known already. Never throws nor rejects. */
  admit(knock: Knock): Access | Denial | Promise<Access | Denial>;
  /** Why they may not ask for this; undefined: they may. */
  judge(request: Request, access: Access): Denial | undefined;
}

/** Tells a denial from what somebody has proved. */
export const isDenied = (answer: Access | Denial): answer is Denial => 'status' in answer;

/** Whether what somebody has proved does not hold any more. */
export const isOver = ({ expiresAt }: Access): boolean => expiresAt !== undefined && !(expiresAt > Date.now());
