/** Everybody who takes part in one conversation: a server, a client, a proxy between them, and the ways that join them. */
import { BehaviorSubject, map, NEVER, of, timer, type Observable } from 'rxjs';
import {
  open,
  Refused,
  revisions as allRevisions,
  type Answers,
  type Channel,
  type FormAnswered,
  type OpenClient,
  type Revision,
  type Served,
  type UrlAnswered,
} from '../../lib/index.ts';
import { counted, createLedger, frayed, tap, type Frayed, type Ledger, type Tapped } from '../../lib/testing/index.ts';
import { scripted } from './handler.ts';

export interface Setting {
  readonly revision: Revision;
  readonly serialise: boolean;
  /** Whether the client finds out by itself which revision the server speaks. */
  readonly probing: boolean;
  /** The revision of the server, where the client reaches it through a proxy. */
  readonly behind: Revision | undefined;
  /** After how many frames the client's way breaks during the handshake. */
  readonly early: number | undefined;
}

/** One way, with an ear at the client's end; the server's end has its own. */
export interface Road extends Frayed {
  readonly door: Channel;
  /** The client's end of each connection. */
  readonly near: readonly Tapped[];
}

export interface World {
  readonly setting: Setting;
  readonly ledger: Ledger;
  readonly client: OpenClient;
  /** From the client to whatever serves it; then, where there is a proxy, from there to the server. */
  readonly roads: readonly Road[];
  readonly relay: OpenClient | undefined;
  readonly stage: Omit<ReturnType<typeof scripted>, 'server'>;
  readonly roots$: BehaviorSubject<readonly { readonly uri: string }[]>;
  /** The questions that the client's side was asked, by what they say. */
  readonly asked: readonly string[];
}

/** Answers as the question says that it is to be answered. */
const answering = (ledger: Ledger, asked: string[], roots: Answers['roots']): Answers => {
  const answer = <A>(message: string, how: Readonly<Record<string, A>>, accepted: A): Observable<A> => {
    asked.push(message);
    const manner = message.slice(message.lastIndexOf(' ') + 1);
    if (manner === 'refuse') throw new Refused({ message: 'no' });
    if (manner === 'fail') throw new Error('the user interface is on fire');
    const source =
      manner === 'never' ? NEVER : manner === 'slow' ? timer(7).pipe(map(() => accepted)) : of(how[manner] ?? accepted);
    return source.pipe(ledger.watch('answer'));
  };
  const no = { decline: { action: 'decline' }, cancel: { action: 'cancel' } } as const;
  return {
    form: ({ message }) => answer<FormAnswered>(message, no, { action: 'accept', content: { said: message } }),
    url: ({ message }) => answer<UrlAnswered>(message, no, { action: 'accept' }),
    sample: ({ messages }) => {
      const [content] = messages.flatMap((message) => message.content);
      const text = content?.type === 'text' ? content.text : '';
      return answer(text, {}, { role: 'assistant', model: 'm', content: { type: 'text', text } });
    },
    ...(roots === undefined ? undefined : { roots }),
  };
};

/** How long a server goes on for a client that has gone, in milliseconds: like no other timer here. */
export const drainMs = 900;

const roadTo = (served: Served, revision: Revision, serialise: boolean): Road => {
  const way = frayed(served, { serialise, revisions: [revision], drainMs });
  // What is read from a way changes while it is used: spread, it would not.
  const near: Tapped[] = [];
  const door: Channel = (outbound) => {
    const tapped = tap(way.channel);
    near.push(tapped);
    return tapped(outbound);
  };
  return Object.assign(Object.create(way) as Frayed, { near, door });
};

/** Opens everything. Rejects where the client could not connect, as it must where its way broke. */
export const worldOf = async (setting: Setting, ways: Road[], ledger = createLedger()): Promise<World> => {
  const { revision, serialise, probing, behind, early } = setting;
  const { server, ...stage } = scripted(ledger);
  const asked: string[] = [];
  const roots$ = new BehaviorSubject<readonly { readonly uri: string }[]>([{ uri: 'file:///0' }]);
  const road = (served: Served, at: Revision): Road => {
    const made = roadTo(counted(ledger)(served), at, serialise);
    ways.unshift(made);
    return made;
  };
  let relay: OpenClient | undefined;
  if (behind !== undefined)
    relay = await open(road(server, behind).door, {
      relay: true,
      revisions: [behind],
      info: { name: 'relay', version: '1' },
    });
  const front = road(relay === undefined ? server : relay.exchange, revision);
  if (early !== undefined) front.cut('client', early + 1);
  const client = await open(front.door, {
    revisions: probing ? allRevisions : [revision],
    answers: answering(ledger, asked, roots$.pipe(ledger.watch('roots$'))),
  }).catch(async (error: unknown) => {
    await relay?.close();
    throw error;
  });
  return { setting, ledger, client, roads: ways, relay, stage, roots$, asked };
};
