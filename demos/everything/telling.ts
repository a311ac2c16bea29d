/** Tools that say something on their way to the answer. */
import { concat, map, of, timer, type Observable } from 'rxjs';
import { log, progress, tool } from 'rxmcp';

/** How long a tool pauses between two things that it says, in milliseconds. */
const pauseMs = 50;

/** How long a client is asked to wait before it comes back, and the answer after it was let go, in milliseconds. */
const retryMs = 500;
const answerMs = 100;

const after = <T>(ms: number, value: T): Observable<T> => timer(ms).pipe(map(() => value));

export const telling = [
  tool('test_tool_with_logging', { description: 'Logs three lines while it works.' }, () =>
    concat(
      of(log('info', 'Tool execution started')),
      after(pauseMs, log('info', 'Tool processing data')),
      after(pauseMs, log('info', 'Tool execution completed')),
      of('Three lines were logged.'),
    ),
  ),
  tool('test_tool_with_progress', { description: 'Tells three times how far it is.' }, () =>
    concat(
      of(progress(0, 100, 'Completed step 0 of 100')),
      after(pauseMs, progress(50, 100, 'Completed step 50 of 100')),
      after(pauseMs, progress(100, 100, 'Completed step 100 of 100')),
      of('All steps were told.'),
    ),
  ),
  tool('test_logging_tool', { description: 'Logs one line, to whoever asked for its level.' }, () =>
    of(log('info', 'The tool was called'), 'One line was logged.'),
  ),
  tool(
    'test_reconnection',
    { description: 'Closes the stream of its answer, where it has one, and answers once the client is back.' },
    (_, { context }) => {
      context.hangUp?.(retryMs);
      return after(answerMs, 'The answer came after the stream was closed.');
    },
  ),
] as const;
