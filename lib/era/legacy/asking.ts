/**
 * Questions of the dialect inside, asked of a peer of a handshake revision: as real requests, on the connection that the
 * peer's own request came over (BR-26).
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
 */
import { catchError, filter, map, of, take, tap } from 'rxjs';
import { isAnswer, type Context, type Exchange, type Notification } from '../../exchange/exchange.ts';
import type { Answerer } from '../../exchange/rounds.ts';
import { InvalidAnswer, invalidParams } from '../../frame/errors.ts';
import type { JsonObject } from '../../frame/frame.ts';
import type { LegacyRevision } from '../../protocol/revisions.ts';
import { downQuestion, upAnswer, upRefusal } from './question-down.ts';

export interface Peer {
  readonly revision: LegacyRevision;
  /** What it declared in its handshake. */
  readonly capabilities: JsonObject;
  readonly ask: Exchange;
  /** Takes the notifications that belong to no request. */
  readonly tell: (notification: Notification) => void;
}

/** The questions of one request. */
export interface Asking {
  readonly answer: Answerer;
  /** To be called when the request has succeeded: pages that were visited for it have served their purpose (ELI-14). */
  readonly done: () => void;
}

export const asking = ({ revision, capabilities, ask, tell }: Peer, context: Context): Asking => {
  let visited: string[] | undefined;
  return {
    answer: (question) => {
      const { method } = question;
      const request = downQuestion(question, revision, capabilities, () => crypto.randomUUID());
      const elicitationId = request.params?.['elicitationId'];
      return ask(request, context).pipe(
        filter(isAnswer),
        take(1),
        map(({ result }) => upAnswer(method, result, revision)),
        tap(({ action }) => {
          if (action === 'accept' && typeof elicitationId === 'string') (visited ??= []).push(elicitationId);
        }),
        catchError((error: unknown) => {
          // What is no answer is the client's fault, not this server's.
          if (error instanceof InvalidAnswer) throw invalidParams(error.message);
          return of(upRefusal(method, error));
        }),
      );
    },
    done: () => {
      for (const elicitationId of visited ?? [])
        tell({ method: 'notifications/elicitation/complete', params: { elicitationId } });
      visited = undefined;
    },
  };
};
