/** Holds what went over one connection against the rules that every revision shares. */
import { isObject, type JsonObject } from '../frame/frame.ts';
import { metaKeys } from '../protocol/revisions.ts';
import type { Overheard } from './wiretap.ts';

const listenMethod = 'subscriptions/listen';

interface Asked {
  readonly method: string;
  readonly token: unknown;
  state: 'open' | 'answered' | 'cancelled';
  progress: number;
  acknowledged: boolean;
}

interface Direction {
  readonly asked: Map<unknown, Asked>;
}

/**
 * What was asked and has been neither answered nor cancelled, as `method id`.
 *
 * @param overheard - what went over one connection, in order
 * @example
 * await using link = await linked(weather);
 * await link.client.callTool('forecast', { city: 'Oslo' });
 * expect(unanswered(link.wire.overheard)).toEqual([]);
 */
export const unanswered = (overheard: readonly Overheard[]): readonly string[] => {
  const { sides } = read(overheard);
  return [...sides.out.asked, ...sides.in.asked].flatMap(([id, { method, state }]) =>
    state === 'open' ? [`${method} ${JSON.stringify(id)}`] : [],
  );
};

/**
 * What was said on one connection and must not be, one sentence each: an id used twice, a second answer, an answer that
 * nobody asked for, progress that does not rise or follows its answer, a notice before its acknowledgement, a cancelled
 * `initialize`.
 *
 * An answer that crosses its own cancellation is no breach (CAN-13).
 *
 * @param overheard - what went over one connection, in order
 * @example
 * await using link = await linked(weather);
 * await link.client.callTool('forecast', { city: 'Oslo' });
 * expect(breaches(link.wire.overheard)).toEqual([]);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#messages
 */
export const breaches = (overheard: readonly Overheard[]): readonly string[] => read(overheard).breaches;

/**
 * What one end has said and must not have, knowing all that it had heard. Stricter than {@link breaches}, as nothing can
 * cross at the end itself: an answer to what it had heard to be cancelled is a breach (CAN-10). What the other end says is
 * not judged, so this fits a way between them that delays and repeats.
 *
 * @param overheard - what this end has said (`out`) and heard (`in`), in order
 * @example
 * const way = frayed(weather);
 * await using client = await open(way.channel);
 * way.repeat('out');
 * await client.callTool('forecast', { city: 'Oslo' });
 * expect(way.ends.flatMap((end) => ownBreaches(end.overheard))).toEqual([]);
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/cancellation
 */
export const ownBreaches = (overheard: readonly Overheard[]): readonly string[] => read(overheard, 'out').breaches;

/** @param judged - whose words are held against what it had heard; both sides', with room for what crosses, by default */
const read = (overheard: readonly Overheard[], judged?: Overheard['way']) => {
  const sides: Readonly<Record<Overheard['way'], Direction>> = { out: { asked: new Map() }, in: { asked: new Map() } };
  const found: string[] = [];
  for (const { way, message } of overheard) {
    const own = sides[way].asked;
    const other = sides[way === 'out' ? 'in' : 'out'].asked;
    const said = JSON.stringify(message);
    const breach = (rule: string): void => {
      if (judged === undefined || way === judged) found.push(`${rule}: ${said}`);
    };
    const { method, id } = message;
    const params = isObject(message['params']) ? message['params'] : {};
    if (message['jsonrpc'] !== '2.0') breach('jsonrpc must be "2.0" (RPC-01)');
    if (typeof method === 'string' && id !== undefined) {
      const before = own.get(id);
      if (before !== undefined) breach('an id was used before (RPC-04)');
      const meta = isObject(params['_meta']) ? params['_meta'] : {};
      const token = meta['progressToken'];
      // What is still in flight is not asked anew by asking it twice.
      if (before?.state !== 'open')
        own.set(id, { method, token, state: 'open', progress: -Infinity, acknowledged: false });
    } else if (typeof method === 'string') notified(method, params, own, other, breach, judged !== undefined);
    else if (id !== undefined) {
      const asked = other.get(id);
      if (asked === undefined) breach('an answer to nothing (RPC-06)');
      else if (asked.state === 'answered') breach('a second answer (RPC-08)');
      else if (asked.state === 'open') asked.state = 'answered';
      else if (judged !== undefined) breach('an answer to what was cancelled (CAN-10)');
    }
  }
  return { sides, breaches: found };
};

const notified = (
  method: string,
  params: JsonObject,
  own: ReadonlyMap<unknown, Asked>,
  other: ReadonlyMap<unknown, Asked>,
  breach: (rule: string) => void,
  strict: boolean,
): void => {
  if (method === 'notifications/cancelled') {
    const mine = own.get(params['requestId']);
    if (mine?.method === 'initialize') breach('initialize was cancelled (LIFE-14)');
    if (mine?.state === 'answered') breach('what was answered was cancelled (CAN-04)');
    if (mine?.state === 'open') mine.state = 'cancelled';
  }
  if (method === 'notifications/progress') {
    // A token may be used again once its request has ended (PRG-02).
    const ofToken = [...other.values()].filter(({ token }) => token !== undefined && token === params['progressToken']);
    const asked = ofToken.find(({ state }) => state === 'open') ?? ofToken.at(-1);
    if (asked === undefined) return breach('progress of nothing (PRG-03)');
    if (asked.state === 'answered') breach('progress after its answer (PRG-07)');
    if (asked.state === 'cancelled' && strict) breach('progress of what was cancelled (CAN-10)');
    const progress = Number(params['progress']);
    if (!(progress > asked.progress)) breach('progress did not rise (PRG-04)');
    asked.progress = progress;
  }
  const meta = isObject(params['_meta']) ? params['_meta'] : {};
  const subscription = meta[metaKeys.subscriptionId];
  if (subscription === undefined) return;
  const listening = other.get(subscription);
  if (listening?.method !== listenMethod) return breach('a subscription that nobody has opened (SUB-07)');
  if (method === 'notifications/subscriptions/acknowledged') listening.acknowledged = true;
  // That a subscription is over may be said before it has begun: it is about the request (CAN-06, AMB-01).
  else if (!listening.acknowledged && method !== 'notifications/cancelled')
    breach('a notice before the acknowledgement (SUB-03)');
};
