/** Every file of the folder as a resource: a list that is live, and a template for whoever knows a path. */
import { filter, firstValueFrom, map, skip, take, throttleTime, type Observable } from 'rxjs';
import {
  invalidParams,
  resource,
  resources,
  resourceTemplate,
  updates,
  type Call,
  type Completer,
  type Feature,
} from 'rxmcp';
import { textOf, typeByName } from './content.ts';
import type { Folder } from './folder.ts';
import type { Reader } from './read.ts';

/** Larger files are refused, in bytes: as base64 they have to fit into one message. */
export const defaultCap = 4 * 1024 * 1024;

/** How long changes of the list are gathered, in milliseconds: a checkout changes hundreds of files at once. */
const gatherMs = 50;

/** @example uriOf('notes/my day.md'); // 'file:///notes/my%20day.md' */
export const uriOf = (path: string): string => `file:///${path.split('/').map(encodeURIComponent).join('/')}`;

/** A file's content as text or base64, under the URI that it was asked for. */
const documentOf =
  (read: Reader, cap: number) =>
  async (path: string, uri: string, { signal }: Call) => {
    const file = await read.whole(path, cap, signal);
    if (file === undefined) return undefined;
    if ('tooLarge' in file)
      throw invalidParams(`${path} has ${file.tooLarge} bytes; files of more than ${cap} bytes are not served`, {
        size: file.tooLarge,
        cap,
      });
    const text = textOf(file.bytes);
    const mimeType = typeByName(path) ?? (text === undefined ? 'application/octet-stream' : 'text/plain');
    return text === undefined
      ? { uri, mimeType, blob: Buffer.from(file.bytes).toString('base64') }
      : { uri, mimeType, text };
  };

/**
 * @param folder$ - the folder, shared: a subscription more costs nothing
 * @param cap - in bytes
 */
export const documents = (folder$: Observable<Folder>, read: Reader, cap = defaultCap): readonly Feature[] => {
  const document = documentOf(read, cap);
  const listed = (path: string) => {
    const uri = uriOf(path);
    const mimeType = typeByName(path);
    return resource(uri, { name: path, ...(mimeType === undefined ? undefined : { mimeType }) }, (call) =>
      document(path, uri, call),
    );
  };
  const list$ = folder$.pipe(
    filter(({ change }) => change?.kind !== 'changed'),
    throttleTime(gatherMs, undefined, { leading: true, trailing: true }),
    map(({ files }) => [...files.keys()].sort().map(listed)),
  );
  // The first is how the folder is, not what has happened to it.
  const changed$ = folder$.pipe(
    skip(1),
    map(({ change }) => change),
    filter((change) => change !== undefined),
    map(({ path }) => uriOf(path)),
  );
  return [
    resources(list$),
    updates(changed$),
    resourceTemplate(
      'file:///{+path}',
      {
        name: 'file',
        title: 'A file of the folder',
        description: `Text or base64, up to ${cap} bytes.`,
        complete: { path: paths(folder$) },
      },
      ({ path }, call, uri) => document(String(path), uri, call),
    ),
  ];
};

/** Completes paths: those that begin with what was typed, then those that have it anywhere. */
export const paths =
  (folder$: Observable<Folder>): Completer =>
  async (typed) => {
    const { files } = await firstValueFrom(folder$.pipe(take(1)));
    const having = [...files.keys()].filter((path) => path.includes(typed)).sort();
    return [...having.filter((path) => path.startsWith(typed)), ...having.filter((path) => !path.startsWith(typed))];
  };
