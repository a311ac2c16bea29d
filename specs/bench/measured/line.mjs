/** A keep-alive connection that writes prepared bytes and reads one answer at a time, so that a driver costs little. */
import { once } from 'node:events';
import { connect } from 'node:net';

/** An answer longer than this is counted, not kept. */
const kept = 65_536;
const ending = '\r\n0\r\n\r\n';

/**
 * What came in so far, and whether that is all: by `content-length`, or by the last chunk, which ends where nothing else
 * in an answer's text does.
 */
class Answer {
  text = '';
  bytes = 0;
  #tail = '';
  #expected = undefined;
  #chunked = false;

  /** Whether this chunk ends it. */
  take(chunk) {
    this.bytes += chunk.length;
    if (this.text.length < kept) this.text += chunk.latin1Slice();
    if (this.#expected === undefined && !this.#chunked && !this.#readHead()) return false;
    if (this.#expected !== undefined) return this.bytes >= this.#expected;
    this.#tail = (this.#tail + chunk.latin1Slice(Math.max(0, chunk.length - ending.length))).slice(-ending.length);
    return this.#tail === ending;
  }

  #readHead() {
    const end = this.text.indexOf('\r\n\r\n');
    if (end < 0) return false;
    const head = this.text.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    this.#chunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    if (!this.#chunked) this.#expected = end + 4 + Number(length ?? 0);
    return true;
  }
}

export const line = async (port) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  let answer;
  let waiting;
  socket.on('data', (chunk) => {
    if (!answer.take(chunk)) return;
    const done = answer;
    answer = undefined;
    waiting.resolve(done);
  });
  const broken = (error = new Error(`the server hung up after ${JSON.stringify(answer?.text)}`)) =>
    waiting?.reject(error);
  socket.on('error', broken).on('end', broken);
  return {
    /** Resolves with the answer as soon as it is complete. */
    ask: (request) =>
      new Promise((resolve, reject) => {
        answer = new Answer();
        waiting = { resolve, reject };
        socket.write(request);
      }),
    /** Resolves when these words have come in, of an answer that does not end. */
    hold: (request, words) => {
      answer = new Answer();
      socket.write(request);
      return new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.on('data', () => answer?.text.includes(words) && resolve());
      });
    },
    close: () => {
      waiting = undefined;
      socket.destroy();
    },
  };
};
