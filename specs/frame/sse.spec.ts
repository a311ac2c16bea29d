import { createParser, type EventSourceMessage } from 'eventsource-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventText, keepAliveText, type ServerEvent } from '../../lib/frame/sse.ts';

/** What a parser that others keep makes of it. */
const parsed = (text: string) => {
  const events: EventSourceMessage[] = [];
  const retries: number[] = [];
  const comments: string[] = [];
  const errors: unknown[] = [];
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onRetry: (ms) => retries.push(ms),
    onComment: (comment) => comments.push(comment),
    onError: (error) => errors.push(error),
  });
  parser.feed(text);
  return { events, retries, comments, errors };
};

describe('a server-sent event as text', () => {
  it('says what it has, and nothing else (SSE-04)', () => {
    expect(eventText({ data: '{}' })).toBe('data: {}\n\n');
    expect(eventText({ id: 'a-1', event: 'message', retry: 0, data: '{}' })).toBe(
      'event: message\nid: a-1\nretry: 0\ndata: {}\n\n',
    );
  });

  it('primes a client with an id and no data (SHTTP-19, SHTTP-22)', () => {
    expect(eventText({ id: 'a-0', retry: 500, data: '' })).toBe('id: a-0\nretry: 500\ndata: \n\n');
  });

  it('keeps a connection alive with what is no event', () => {
    expect(parsed(keepAliveText)).toEqual({ events: [], retries: [], comments: ['keep-alive'], errors: [] });
  });

  it('is read as it was written, and data never as a field or an event of its own', () => {
    const hostile = fc.stringMatching(/^(?:[\n\r:]|data|id|event|retry|[ a-z{}"\u2028é])*$/);
    fc.assert(
      fc.property(fc.oneof(hostile, fc.json(), fc.string({ unit: 'binary' })), (data) => {
        const event: ServerEvent = { id: '7', event: 'message', retry: 5, data };
        const { events, retries, comments, errors } = parsed(eventText(event) + eventText({ data: 'next' }));
        expect(events.map((each) => each.data)).toEqual([data.replaceAll(/\r\n|\r/g, '\n'), 'next']);
        expect(events[0]).toMatchObject({ id: '7', event: 'message' });
        expect([retries, comments, errors]).toEqual([[5], [], []]);
      }),
      { numRuns: 300 },
    );
  });
});
