/** A client of the files demo in this process. */
import { firstValueFrom } from 'rxjs';
import { inMemory, open, type Revision } from 'rxmcp';
import { onTestFinished } from 'vitest';
import { files, type Files, type FilesOptions } from '../../../demos/files/files.ts';

export type Guest = Awaited<ReturnType<typeof open<Files>>>;

export const guestOf = async (
  folder: string,
  options?: FilesOptions,
  revisions?: readonly Revision[],
): Promise<Guest> => {
  const client = await open<Files>(inMemory(files(folder, options)), revisions === undefined ? {} : { revisions });
  onTestFinished(() => client.close());
  return client;
};

export const namesOn = async (guest: Guest): Promise<readonly string[]> =>
  (await firstValueFrom(guest.resources$)).map(({ name }) => name);

export const statsOf = async (guest: Guest) => {
  const { structuredContent } = await guest.callTool('stats', {});
  if (structuredContent === undefined) throw new Error('the stats tool gave no structured content');
  return structuredContent;
};

/** What a read is answered with where it fails. */
export const refusalOf = (guest: Guest, uri: string): Promise<unknown> =>
  guest.readResource(uri).then(
    () => 'it was read',
    (error: unknown) => error,
  );

/** What a text resource holds; undefined where it is bytes. */
export const textOf = async (guest: Guest, uri: string): Promise<string | undefined> => {
  const [content] = (await guest.readResource(uri)).contents;
  return content !== undefined && 'text' in content ? content.text : undefined;
};
