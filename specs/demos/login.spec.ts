/** `demos/login`, with Ada, and with somebody whom it tells where to go. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { visit } from '../../demos/login/provider-visitor.ts';
import { wordsFor } from '../../demos/login/steps.ts';
import { run } from './demo.ts';

const project = fileURLToPath(new URL('../../', import.meta.url));
const server = 'http://127.0.0.1:1/mcp';

describe('npm run demo login', () => {
  it('logs Ada in, renews, asks for more and logs out; leaves nothing behind', async () => {
    const { code, stdout, stderr, files } = await run('demos/index.ts', 'login');
    expect({ code, stderr, files }).toEqual({ code: 0, stderr: '', files: [] });
    for (const line of [
      /somebody ─+▶ authorization server/,
      /asked +the server does not let us in; it wants diary:read$/m,
      /discovered +http:\/\/127\.0\.0\.1:\d+ vouches/,
      /registered +it knows us as \S+: we have just registered/,
      /visit +somebody is to open http:\/\/127\.0\.0\.1:\d+\/auth\?…/,
      /token +given for the code: it allows diary:read, good for [34]\.\d s/,
      /that of Ada/,
      /token +renewed, without asking anybody/,
      /ten calls are answered, and the authorization server was asked once/,
      /asked +the server does not let us in; it wants diary:read diary:write/,
      /registered .*: we remember/,
      /the diary says "Logged in today\."/,
      /a call fails, in the stage "authorization": .*access_denied/,
    ])
      expect(stdout).toMatch(line);
    // Colour is for terminals; this is a pipe.
    expect(stdout).not.toContain('\x1b');
  });

  it('waits for whoever opens the page that it shows', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'demos/login/index.ts', '--browser'], {
      cwd: project,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    const ended = once(child, 'close');
    const complaints: string[] = [];
    child.stderr.on('data', (chunk) => complaints.push(String(chunk)));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (!line.startsWith('http://')) continue;
      const answer = lines.includes('   Now refuse, please.') ? 'refuse' : 'allow';
      await fetch(await visit(new URL(line), { name: 'Bea', answer })).then((page) => page.text());
    }
    await ended;
    expect([child.exitCode, complaints]).toEqual([0, []]);
    expect(lines.join('\n')).toContain('whose diary to open: that of Bea');
    expect(lines.join('\n')).toContain('access_denied');
    expect(lines.filter((line) => line.startsWith('http://'))).toHaveLength(3);
  });

  it('knows no other flags', async () => {
    const { code, stderr } = await run('demos/login/index.ts', '--chromium');
    expect(code).toBe(1);
    expect(stderr).toContain('--chromium');
  });
});

describe('a step of a login', () => {
  it.each([
    [{ kind: 'waiting', server } as const, 'another program is at it already'],
    [{ kind: 'failed', server, message: 'nobody came back' } as const, 'nobody came back'],
    [{ kind: 'asked', server, scopes: [] } as const, 'the server does not let us in; it wants nothing in particular'],
    [
      { kind: 'token', server, by: 'login', scopes: ['a', 'b'], renewable: false } as const,
      'given for the code: it allows a b',
    ],
    [
      { kind: 'registered', server, issuer: server, clientId: 'me', how: 'given' } as const,
      'it knows us as me: it was told before',
    ],
  ])('is told in words: %j', (step, words) => {
    expect(wordsFor(step)).toBe(words);
  });

  it('shows of a page no more than where it is', () => {
    const url = 'https://auth.example/authorize?state=secret';
    expect(wordsFor({ kind: 'visit', server, url, redirectUri: 'http://127.0.0.1:2/callback' })).toBe(
      'somebody is to open https://auth.example/authorize?…',
    );
  });
});
