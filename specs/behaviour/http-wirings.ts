/** The ways over HTTP: our own client to our own server, each in one of the forms that answers may take. */
import { concat, defer, EMPTY, firstValueFrom, of, Subject } from 'rxjs';
import type { AddressInfo } from 'node:net';
import { middleware, serve, type JsonObject, type Middleware, type Revision, type Target } from '../../lib/index.ts';
import { isObject } from '../../lib/frame/frame.ts';
import { agentCarrier, http, remote, sse, type HttpOptions } from '../../lib/node/index.ts';
import { listenMethod } from '../../lib/exchange/envelope.ts';
import { encodeHeader } from '../../lib/protocol/header-value.ts';
import { methods, type MethodTable } from '../../lib/protocol/methods.ts';
import { isModern, legacyRevisions, modernRevisions } from '../../lib/protocol/revisions.ts';
import type { Carrier, HttpCall } from '../../lib/transport/remote/carrier.ts';
import { fixture } from './fixture.ts';
import { inForm, judges, modernHttp, oldest, sessions, streamable, type Form, type Judge } from './http-rules.ts';
import { tapHttp } from './http-tap.ts';
import type { Lay } from './way.ts';
import type { Wired, Wiring } from './wirings.ts';

/** Said before every answer, so that it comes as a stream of events; nobody knows it, so that nobody does anything. */
const opener = 'notifications/fixture/opening';

const opening: Middleware = middleware((next) => (request, context) => {
  const answer = next(request, context);
  // A subscription begins with its acknowledgement (SUB-03).
  return request.method === listenMethod ? answer : concat(of({ method: opener }), answer);
});

/** Closes the stream that is to carry the answer, which its client then comes back for. */
const hangingUp: Middleware = middleware(
  (next) => (request, context) =>
    concat(
      defer(() => {
        if (request.method === 'tools/call') context.hangUp?.(1);
        return EMPTY;
      }),
      next(request, context),
    ),
);

const table: MethodTable = methods;

const isOpener = ({ method }: JsonObject): boolean => method === opener;

/** The headers that go with a message, by its revision: made from its body, or learnt from what the client has sent. */
const headersFor = (message: unknown, revision: Revision, posted: HttpCall | undefined): HttpCall['headers'] => {
  if (!isModern(revision)) return posted?.headers ?? {};
  const common = {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': revision,
  };
  if (!isObject(message) || typeof message['method'] !== 'string') return common;
  const nameIn = table[message['method']]?.nameIn;
  const name = nameIn === undefined || !isObject(message['params']) ? undefined : message['params'][nameIn];
  return {
    ...common,
    'mcp-method': encodeHeader(message['method']),
    ...(typeof name === 'string' ? { 'mcp-name': encodeHeader(name) } : undefined),
  };
};

interface HttpWay {
  readonly reach: (carrier: Carrier) => Target;
  readonly judge: (revision: Revision) => Judge;
  /** Whether each POST is by itself, so that it is cancelled by closing it, and by nothing else. */
  readonly alone?: boolean;
  readonly streamsOnly?: boolean;
}

/** Lays ways over HTTP, each with its own rules. */
const layHttp =
  (carrier: Carrier, { reach, judge, alone = false, streamsOnly = false }: HttpWay): Lay =>
  (revision) => {
    const closingCancels = isModern(revision);
    const tapped = tapHttp(carrier, { closingCancels, judge: judge(revision), streamsOnly, overlooked: isOpener });
    /** Posts a request, and comes back for its answer for as long as the server hangs up before that. */
    const ask = (call: HttpCall, id: unknown): (() => void) => {
      let giveUp = tapped.inject(call, ({ heard, eventIds, end }) => {
        const last = eventIds.at(-1);
        const answered = heard.some((message) => message['id'] === id && !('method' in message));
        if (end !== 'whole' || last === undefined || answered) return;
        const { 'content-type': _, ...headers } = call.headers;
        const again = { ...headers, accept: 'text/event-stream', 'last-event-id': last };
        giveUp = ask({ method: 'GET', url: call.url, headers: again }, id);
      });
      return () => giveUp();
    };
    /** What was injected, and how it is given up. */
    const underway = new Map<unknown, (() => void)[]>();
    return {
      target: reach(tapped.carrier),
      wire: tapped.wire,
      inject: (message) => {
        const { method, id, params } = isObject(message) ? message : {};
        const mine = isObject(params) ? underway.get(params['requestId']) : undefined;
        if (alone && method === 'notifications/cancelled' && mine !== undefined) return mine.forEach((stop) => stop());
        const posted = tapped.posted();
        const headers = headersFor(message, revision, posted);
        const call = { method: 'POST', url: posted?.url ?? '', headers, body: JSON.stringify(message) } as const;
        underway.set(id, [...(underway.get(id) ?? []), ask(call, id)]);
      },
    };
  };

interface Serving {
  readonly options?: HttpOptions;
  readonly through?: Middleware;
  /** The way to the server that listens at this port. */
  readonly lay: (port: number) => Lay;
}

/** A server on a port of its own. */
const serving = async ({ options = {}, through = (exchange) => exchange, lay }: Serving): Promise<Wired> => {
  const { server, ledger } = fixture();
  const listening = new Subject<AddressInfo | string>();
  const address = firstValueFrom(listening);
  const transport = http({ ...options, onListening: (where) => listening.next(where) });
  const running = serve(through(server), transport).subscribe();
  const { port } = (await address) as AddressInfo;
  return {
    ledger,
    way: lay(port),
    end: async () => {
      running.unsubscribe();
      await ledger.idle();
    },
  };
};

/** No proxy of whoever runs this stands between. */
const carrier = (): Carrier => agentCarrier({ proxy: false });

interface Streamable extends Omit<Serving, 'lay'> {
  readonly form?: Form;
  readonly alone?: boolean;
}

/** Our client reaches it by its URL. */
const streaming = ({ form, alone = false, ...rest }: Streamable): Promise<Wired> => {
  const judge = (revision: Revision): Judge =>
    judges(streamable, isModern(revision) ? modernHttp : sessions(), ...(form === undefined ? [] : [inForm(form)]));
  const reach = (port: number) => (tapped: Carrier) =>
    remote(`http://127.0.0.1:${port}/mcp`, { carrier: tapped, retry: { initialMs: 1, jitter: 0 } });
  return serving({ ...rest, lay: (port) => layHttp(carrier(), { reach: reach(port), judge, alone }) });
};

const every = (revisions: readonly Revision[], reason: string): Wiring['without'] & object =>
  Object.fromEntries(revisions.map((revision) => [revision, reason]));

const modernOnly = {
  serialises: true,
  posts: true,
  headed: true,
  ownLogs: true,
  without: every(legacyRevisions, 'it has sessions there'),
  lacks: { shares: 'each POST is a conversation of its own' },
} as const satisfies Partial<Wiring>;

export const modernJson: Wiring = {
  name: 'HTTP, answers as JSON',
  ...modernOnly,
  start: () => streaming({ alone: true, form: 'json' }),
};

export const modernEvents: Wiring = {
  name: 'HTTP, answers as events',
  ...modernOnly,
  start: () => streaming({ alone: true, form: 'events', through: opening }),
};

const inSessions = {
  serialises: true,
  posts: true,
  without: every(modernRevisions, 'there are no sessions any more'),
} as const satisfies Partial<Wiring>;

export const sessionsJson: Wiring = {
  name: 'HTTP with sessions, answers as JSON',
  ...inSessions,
  start: () => streaming({ form: 'json' }),
};

export const sessionsEvents: Wiring = {
  name: 'HTTP with sessions, answers as events',
  ...inSessions,
  start: () => streaming({ form: 'events', through: opening }),
};

/** Every call of a tool is hung up on before it has said anything, and its client comes back for the rest. */
export const sessionsPolled: Wiring = {
  name: 'HTTP with sessions, answers fetched',
  ...inSessions,
  without: {
    ...inSessions.without,
    ...every(['2024-11-05', '2025-03-26', '2025-06-18'], 'servers may not hang up there'),
  },
  start: () => streaming({ through: hangingUp }),
};

const alone = {
  serialises: true,
  posts: true,
  without: {
    '2024-11-05': 'whoever names no revision is taken to speak 2025-03-26 (SHTTP-55)',
    ...every(modernRevisions, 'it is without sessions anyway'),
  },
  lacks: {
    asks: 'nobody without a session can be asked',
    tells: 'nobody without a session can be told',
    remembers: 'nothing is remembered without a session',
    shares: 'each POST is a conversation of its own',
  },
} as const satisfies Partial<Wiring>;

export const statelessJson: Wiring = {
  name: 'HTTP without sessions, answers as JSON',
  ...alone,
  start: () => streaming({ alone: true, form: 'json', options: { sessions: false } }),
};

export const statelessEvents: Wiring = {
  name: 'HTTP without sessions, answers as events',
  ...alone,
  start: () => streaming({ alone: true, form: 'events', options: { sessions: false }, through: opening }),
};

export const oldestEvents: Wiring = {
  name: 'HTTP+SSE',
  serialises: true,
  without: every(modernRevisions, 'it is older than requests without a handshake (SSE-09)'),
  start: () => {
    const reach = (port: number) => (tapped: Carrier) => sse(`http://127.0.0.1:${port}/sse`, { carrier: tapped });
    const lay = (port: number): Lay =>
      layHttp(carrier(), { reach: reach(port), judge: () => judges(oldest), streamsOnly: true });
    return serving({ options: { sse: true }, lay });
  },
};
