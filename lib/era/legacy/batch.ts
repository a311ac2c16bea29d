/**
 * Batches: an array of messages on the wire, which one revision had and all others forbid.
 *
 * @see https://modelcontextprotocol.io/specification/2025-03-26/basic/index#batching
 */
import type { Context, Exchange } from '../../exchange/exchange.ts';
import type { Link } from '../../exchange/link.ts';
import { errorFrame } from '../../exchange/settle.ts';
import { invalidRequest } from '../../frame/errors.ts';
import { isObject, isRequestId, tell, type Frame, type RequestId } from '../../frame/frame.ts';
import type { Session } from './session.ts';

export const batchRevision = '2025-03-26';

/**
 * Answers a batch with a batch, once all its requests have ended; its notifications need no answer.
 *
 * @param silent - called where there is nothing to answer: no request was in it, or all were cancelled
 */
export const receiveBatch = (
  items: readonly unknown[],
  session: Pick<Session, 'revision' | 'exchange'>,
  link: Link,
  context: Context,
  silent?: () => void,
): void => {
  if (items.length === 0) return link.send(errorFrame(undefined, invalidRequest('a batch must not be empty')));
  if (session.revision !== batchRevision)
    return refuse(items, `batches exist at revision ${batchRevision} only; send each message by itself`, link);

  const replies: Frame[] = [];
  let open = 1;
  const ended = (): void => {
    open -= 1;
    if (open > 0) return;
    if (replies.length > 0) link.send(replies);
    else silent?.();
  };
  const send = (frame: Frame): void => {
    if ('method' in frame) link.send(frame);
    else replies.push(frame);
  };
  for (const item of items) {
    const told = tell(item);
    if (told.kind !== 'request') {
      if (told.kind === 'batch') replies.push(errorFrame(undefined, invalidRequest('a batch must not hold a batch')));
      else if (told.kind === 'malformed' && told.answerable)
        replies.push(errorFrame(told.id, invalidRequest(told.reason)));
      else link.receive(item);
    } else {
      open += 1;
      link.demultiplexer.request(told.frame, inBatch(session.exchange), context, { logs: true, send, ended });
    }
  }
  ended();
};

/** A handshake decides how everything after it is read, so it stands alone (RPC-18). */
const inBatch =
  (exchange: Exchange): Exchange =>
  (request, context) => {
    if (request.method === 'initialize') throw invalidRequest('initialize must not be part of a batch');
    return exchange(request, context);
  };

/** Every request in it with a readable id gets an answer of its own, so that nobody waits for ever. */
const refuse = (items: readonly unknown[], reason: string, link: Link): void => {
  const ids = items.flatMap((item): readonly RequestId[] =>
    isObject(item) && isRequestId(item['id']) && 'method' in item ? [item['id']] : [],
  );
  const free = ids.filter((id) => !link.demultiplexer.has(id));
  for (const id of free.length === 0 ? [undefined] : free) link.send(errorFrame(id, invalidRequest(reason)));
};
