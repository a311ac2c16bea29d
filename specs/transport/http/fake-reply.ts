/** The far end of a reply that no network carries. */
import type { HttpHeaders, HttpReply } from '../../../lib/transport/http/message.ts';

/** What has become of a reply, and whether its reader keeps up. */
export interface FakeReply extends HttpReply {
  status: number | undefined;
  headers: HttpHeaders;
  /** All text that has been written, the body included. */
  text: string;
  /** How often text was written. */
  writes: number;
  state: 'waiting' | 'open' | 'ended' | 'destroyed';
  /** Whether it takes more; whoever turns that on calls `drained` as well. */
  writable: boolean;
}

/** A reply that fails whoever does not keep to the order of its calls. */
export const fakeReply = (): FakeReply => {
  const within = (state: FakeReply['state'], call: string): void => {
    if (reply.state !== state) throw new Error(`${call} on a reply that is ${reply.state}`);
  };
  const reply: FakeReply = {
    status: undefined,
    headers: {},
    text: '',
    writes: 0,
    state: 'waiting',
    writable: true,
    send: (status, headers, body) => {
      within('waiting', 'send');
      Object.assign(reply, { status, headers, text: body, state: 'ended' });
    },
    open: (status, headers) => {
      within('waiting', 'open');
      Object.assign(reply, { status, headers, state: 'open' });
    },
    write: (text) => {
      within('open', 'write');
      reply.text += text;
      reply.writes += 1;
      return reply.writable;
    },
    end: () => {
      within('open', 'end');
      reply.state = 'ended';
    },
    destroy: () => {
      within('open', 'destroy');
      reply.state = 'destroyed';
    },
  };
  return reply;
};
