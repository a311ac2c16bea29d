import { appendFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ledger } from '../../../demos/files/ledger.ts';
import { reader } from '../../../demos/files/read.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const { signal } = new AbortController();

const setting = () => {
  const folder = temporaryFolder({ 'a.txt': '0123456789' });
  const counts = ledger();
  return { folder, read: reader(folder.path, counts), filesRead: () => counts.counts().filesRead };
};

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString());

describe('reader', () => {
  it('reads a whole file up to the cap, and nothing of a larger one', async () => {
    const { read, filesRead } = setting();
    const file = await read.whole('a.txt', 10, signal);
    expect(file !== undefined && 'bytes' in file && text(file.bytes)).toBe('0123456789');
    expect(filesRead()).toBe(1);
    expect(await read.whole('a.txt', 9, signal)).toEqual({ tooLarge: 10 });
    expect(filesRead()).toBe(1);
  });

  it('reads the end of a file', async () => {
    const { folder, read } = setting();
    expect(text((await read.end('a.txt', 3, signal))?.bytes)).toBe('789');
    appendFileSync(folder.at('a.txt'), 'ab');
    expect(await read.end('a.txt', 100, signal)).toMatchObject({ cut: false });
    expect(text((await read.end('a.txt', 3, signal))?.bytes)).toBe('9ab');
  });

  it('finds nothing where nothing is', async () => {
    const { read, filesRead } = setting();
    expect(await read.whole('nope', 10, signal)).toBeUndefined();
    expect(await read.end('nope', 10, signal)).toBeUndefined();
    expect(filesRead()).toBe(0);
  });

  it('reads nothing once it is aborted, not even a file that is being opened', async () => {
    const { read, filesRead } = setting();
    const work = new AbortController();
    const reading = [read.whole('a.txt', 10, work.signal), read.end('a.txt', 10, work.signal)];
    work.abort();
    for (const one of await Promise.allSettled(reading)) expect(one.status).toBe('rejected');
    expect(filesRead()).toBe(0);
  });
});
