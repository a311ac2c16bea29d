import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync } from 'node:fs';
import { firstValueFrom, ReplaySubject, type Observable } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { watchFolder, type Folder } from '../../../demos/files/folder.ts';
import { ledger } from '../../../demos/files/ledger.ts';
import { temporaryFolder } from '../temporary-folder.ts';

/** What the system watches for this process. */
const systemWatchers = () => process.getActiveResourcesInfo().filter((resource) => resource === 'FSEventWrap').length;

/** The watchers of a test before may still be closing. */
const noneWatches = () => vi.waitFor(() => expect(systemWatchers()).toBe(0));

/** Lets changes be awaited one after the other, whenever they came. */
const follow = (folder$: Observable<Folder>) => {
  const changes = new ReplaySubject<string>(Infinity);
  const first = new ReplaySubject<Folder>(1);
  const subscription = folder$.subscribe((folder) => {
    if (folder.change === undefined) first.next(folder);
    else changes.next(`${folder.change.kind} ${folder.change.path}`);
  });
  onTestFinished(() => subscription.unsubscribe());
  return {
    first: firstValueFrom(first),
    hears: (change: string) =>
      new Promise<void>((resolve) => {
        const listening = changes.subscribe((heard) => {
          if (heard !== change) return;
          resolve();
          queueMicrotask(() => listening.unsubscribe());
        });
      }),
    subscription,
  };
};

describe('watchFolder', () => {
  it('first emits what is there, without what is not served', async () => {
    const folder = temporaryFolder({
      'b.txt': '',
      'sub/deep/a.txt': '',
      'node_modules/x.js': '',
      '.git/config': '',
      'dist/out.js': '',
      'sub/node_modules/y.js': '',
      '.hidden': '',
    });
    symlinkSync(folder.at('b.txt'), folder.at('link'));
    symlinkSync('/etc', folder.at('etc'));
    const { files, full } = await follow(watchFolder(folder.path, ledger())).first;
    expect([...files.keys()].sort()).toEqual(['.hidden', 'b.txt', 'sub/deep/a.txt']);
    expect(full).toBe(false);
  });

  it('emits an empty folder too', async () => {
    const { files } = await follow(watchFolder(temporaryFolder().path, ledger())).first;
    expect(files.size).toBe(0);
  });

  it('tells of files that come, change and go, in folders that come and go', async () => {
    const folder = temporaryFolder({ 'a.txt': 'a' });
    const { first, hears } = follow(watchFolder(folder.path, ledger()));
    const { files } = await first;
    folder.write('new/b.txt', 'b');
    await hears('added new/b.txt');
    const version = files.get('a.txt');
    folder.write('a.txt', 'a and more');
    await hears('changed a.txt');
    expect(files.get('a.txt')).not.toBe(version);
    unlinkSync(folder.at('a.txt'));
    await hears('removed a.txt');
    rmSync(folder.at('new'), { recursive: true });
    await hears('removed new/b.txt');
    expect(files.size).toBe(0);
    folder.write('new/b.txt', 'again');
    await hears('added new/b.txt');
  });

  it('tells of a file that was moved', async () => {
    const folder = temporaryFolder({ 'a.txt': 'a' });
    const { first, hears } = follow(watchFolder(folder.path, ledger()));
    const { files } = await first;
    renameSync(folder.at('a.txt'), folder.at('b.txt'));
    await Promise.all([hears('removed a.txt'), hears('added b.txt')]);
    expect([...files.keys()]).toEqual(['b.txt']);
  });

  it('lists no more than its limit, and says that there is more', async () => {
    const folder = temporaryFolder(Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`${index}.txt`, ''])));
    await noneWatches();
    const { first, hears } = follow(watchFolder(folder.path, ledger(), { limit: 10 }));
    const { files, full } = await first;
    expect(files.size).toBe(10);
    expect(full).toBe(true);
    // The folder itself, and what is listed.
    expect(systemWatchers()).toBeLessThanOrEqual(11);
    const [one = ''] = files.keys();
    folder.write(one, 'changed');
    await hears(`changed ${one}`);
  });

  it('is not full when the last place is taken', async () => {
    const { files, full } = await follow(
      watchFolder(temporaryFolder({ 'a.txt': '', 'b.txt': '' }).path, ledger(), { limit: 2 }),
    ).first;
    expect(files.size).toBe(2);
    expect(full).toBe(false);
  });

  it('watches only while it is subscribed, and leaves no watcher', async () => {
    const folder = temporaryFolder({ 'a.txt': '', 'sub/b.txt': '' });
    const counts = ledger();
    await noneWatches();
    const folder$ = watchFolder(folder.path, counts);
    expect(systemWatchers()).toBe(0);
    const { first, subscription } = follow(folder$);
    await first;
    expect(systemWatchers()).toBeGreaterThan(0);
    expect(counts.counts().watchersOpen).toBe(1);
    subscription.unsubscribe();
    await vi.waitFor(() => expect(counts.counts().watchersOpen).toBe(0));
    await noneWatches();
  });

  it('leaves no watcher when it is unsubscribed before the folder has been read', async () => {
    const folder = temporaryFolder(Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`${i % 7}/${i}.txt`, ''])));
    await noneWatches();
    const counts = ledger();
    follow(watchFolder(folder.path, counts)).subscription.unsubscribe();
    await vi.waitFor(() => expect(counts.counts().watchersOpen).toBe(0));
    // A whole other reading of the folder: had the first one gone on, its watchers would be there by now.
    const second = follow(watchFolder(folder.path, counts));
    await second.first;
    second.subscription.unsubscribe();
    await noneWatches();
  });

  it('survives the folder itself being deleted', async () => {
    const folder = temporaryFolder({ 'root/a.txt': '' });
    const { first, hears } = follow(watchFolder(folder.at('root'), ledger()));
    await first;
    rmSync(folder.at('root'), { recursive: true });
    await hears('removed a.txt');
    mkdirSync(folder.at('root'));
  });
});
