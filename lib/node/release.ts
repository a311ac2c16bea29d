import { finished, type Readable, type Writable } from 'node:stream';

/**
 * Closes a pair of streams whose channel has ended: lets what was written go out, then destroys both.
 *
 * @param intact - whether writing still works; both are destroyed at once where it does not
 * @param flushMs - how long a peer may take for what is left, in ms
 */
export const releaseStreams = (readable: Readable, writable: Writable, intact: boolean, flushMs: number): void => {
  hush(readable);
  const both = Object.is(readable, writable);
  if (!both) hush(writable);
  const destroy = () => {
    readable.destroy();
    writable.destroy();
  };
  if (!intact || writable.destroyed) return destroy();
  const timer = setTimeout(destroy, flushMs).unref();
  // A socket that is destroyed with unread input resets the link, and the peer may lose what was written last.
  if (both) readable.resume();
  const forget = finished(writable, { readable: both }, () => {
    forget();
    clearTimeout(timer);
    destroy();
  });
  writable.end();
};

/** What fails after the channel has ended concerns nobody; as an 'error' event it would end the process. */
export const hush = (stream: Readable | Writable): void => {
  if (stream.closed) return;
  const ignore = () => undefined;
  stream.on('error', ignore);
  stream.once('close', () => stream.off('error', ignore));
};
