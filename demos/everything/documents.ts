/** The resources: text, bytes, a template, and one that can be watched. */
import { interval, map, of, startWith } from 'rxjs';
import { resource, resources, resourceTemplate } from 'rxmcp';
import { png } from './samples.ts';

/** How often the watched resource changes, in milliseconds. */
const tickMs = 1000;

const now = (): string => `It is ${new Date().toISOString()}.`;

const ids = ['1', '12', '123'];

/** A list that may change, as clients are told; it is what it is all the same. */
export const documents = resources(
  of([
    resource(
      'test://static-text',
      { title: 'Text', description: 'Text that never changes.', mimeType: 'text/plain' },
      () => 'This is the content of the static text resource.',
    ),
    resource(
      'test://static-binary',
      { title: 'Bytes', description: 'A picture that never changes.', mimeType: 'image/png' },
      () => Buffer.from(png, 'base64'),
    ),
    resource(
      'test://watched-resource',
      {
        title: 'Clock',
        description: 'Changes every second. Subscribe to hear of it.',
        mimeType: 'text/plain',
        live: true,
      },
      () => interval(tickMs).pipe(startWith(0), map(now)),
    ),
    resourceTemplate(
      'test://template/{id}/data',
      {
        name: 'template',
        title: 'Data by id',
        description: 'JSON about whatever id is asked for.',
        mimeType: 'application/json',
        complete: { id: (typed) => ids.filter((id) => id.startsWith(typed)) },
      },
      ({ id }) => JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
    ),
  ]),
);
