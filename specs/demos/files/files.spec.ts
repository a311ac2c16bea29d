import { symlinkSync, unlinkSync } from 'node:fs';
import { firstValueFrom } from 'rxjs';
import { revisions, RpcError } from 'rxmcp';
import { describe, expect, it, vi } from 'vitest';
import { files } from '../../../demos/files/files.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { guestOf, namesOn, refusalOf, statsOf, textOf } from './guest.ts';

describe('files', () => {
  it.each([
    'file:///../secret.txt',
    'file:///..%2fsecret.txt',
    'file:///..%2Fsecret.txt',
    'file:///%2e%2e/secret.txt',
    'file:///%2e%2e%2fsecret.txt',
    'file:///sub/..%2f..%2fsecret.txt',
    'file:////etc/passwd',
    'file:///%2fetc/passwd',
    'file:///a.txt%00',
    'file:///link',
    'file:///.git/config',
    'tail:///../secret.txt',
    'tail:///..%2fsecret.txt',
    'tail:///link',
    'tail:////etc/passwd',
  ])('refuses %s on every revision', async (uri) => {
    const folder = temporaryFolder({
      'root/a.txt': 'a',
      'root/sub/b': '',
      'root/.git/config': '',
      'secret.txt': 'secret',
    });
    symlinkSync('../secret.txt', folder.at('root/link'));
    for (const revision of revisions) {
      const error = await refusalOf(await guestOf(folder.at('root'), {}, [revision]), uri);
      expect(error).toBeInstanceOf(RpcError);
      expect(error).toMatchObject({ code: -32602, message: expect.stringMatching(/^refused: /) });
      expect(JSON.stringify(error)).not.toContain(folder.path);
    }
  });

  it.each(['file:///nope', 'file:///%252e%252e%252fsecret.txt', 'file:///sub', 'tail:///nope', 'file://host/a.txt'])(
    'has no %s',
    async (uri) => {
      const guest = await guestOf(temporaryFolder({ 'a.txt': 'a', 'sub/b': '' }).path);
      expect(await refusalOf(guest, uri)).toMatchObject({
        message: expect.stringContaining('not found'),
        data: { uri },
      });
    },
  );

  it('serves a folder that is reached through a link, wherever that leads later', async () => {
    const folder = temporaryFolder({ 'real/a.txt': 'real', 'other/a.txt': 'other' });
    symlinkSync('real', folder.at('root'));
    const guest = await guestOf(folder.at('root'));
    expect(await namesOn(guest)).toEqual(['a.txt']);
    unlinkSync(folder.at('root'));
    symlinkSync('other', folder.at('root'));
    expect(await textOf(guest, 'file:///a.txt')).toBe('real');
  });

  it('needs a folder', () => {
    const folder = temporaryFolder({ 'a.txt': '' });
    expect(() => files(folder.at('a.txt'))).toThrow('is no folder');
    expect(() => files(folder.at('nope'))).toThrow('ENOENT');
  });

  it('watches once for everybody, and not at all when everybody has left', async () => {
    const folder = temporaryFolder({ 'a.txt': '' });
    const watchers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'FSEventWrap').length;
    // Those of other tests may still be closing.
    await vi.waitFor(() => expect(watchers()).toBe(0));
    const guest = await guestOf(folder.path);
    const subscriptions = [
      guest.resources$.subscribe(),
      guest.resource$('file:///a.txt').subscribe(),
      guest.resource$('tail:///a.txt').subscribe(),
    ];
    await firstValueFrom(guest.resource$('tail:///a.txt'));
    expect((await statsOf(guest)).watchersOpen).toBe(1);
    for (const subscription of subscriptions) subscription.unsubscribe();
    await guest.close();
    await vi.waitFor(() => expect(watchers()).toBe(0));
  });
});
