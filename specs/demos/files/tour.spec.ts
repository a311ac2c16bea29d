import { describe, expect, it } from 'vitest';
import { run } from '../demo.ts';
import { temporaryFolder } from '../temporary-folder.ts';

describe('npm start', () => {
  it('does the main job in less than 20 seconds, and leaves nothing behind', async () => {
    const { code, stdout, stderr, seconds, files } = await run('demos/files/tour.ts');
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    for (const line of [
      /connected over stdio in \d+ ms, speaking 2026-07-28/,
      /2 tools \(search, stats\), \d{2,} files as resources, 2 templates/,
      /asked for file:\/\/\/..%2f..%2fetc\/passwd and was refused/,
      /(\d+)\/\1 files, \d+ matches/,
      /had read (\d+) of \d+ files when the cancel came, and \1 of them \d+ ms later: it has stopped/,
      /a new file was on the live list after \d+ ms/,
      /reached the subscriber of tail:\/\/\/diary.txt after \d+ ms: “today somebody watched me.”/,
      /both servers have exited with code 0/,
      /cancelled search │ \d+ files read, then none/,
    ])
      expect(stdout).toMatch(line);
    expect(seconds).toBeLessThan(20);
    // Colour and a bar are for terminals; this is a pipe.
    expect(stdout).not.toContain('\x1b');
    expect(stdout).not.toContain('█');
  });
});

describe('demos/files/server.ts', () => {
  it.each([
    ['nope', 'ENOENT'],
    ['a.txt', 'is no folder'],
  ])('says in a line that it cannot serve %s', async (name, why) => {
    const folder = temporaryFolder({ 'a.txt': '' });
    const { code, stdout, stderr } = await run('demos/files/server.ts', folder.at(name));
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining(why)]);
  });

  it('ends with its input', async () => {
    expect(await run('demos/files/server.ts', temporaryFolder().path)).toMatchObject({
      code: 0,
      stdout: '',
      stderr: '',
    });
  });
});
