/** What a hostile server may have shown to somebody, or sent them back to: advisories of other implementations. */
import { firstValueFrom, switchMap } from 'rxjs';
import { Misconfigured } from 'rxmcp';
import { LoginFailed, oauth } from 'rxmcp/auth';
import { loopback } from 'rxmcp/node';
import { describe, expect, it } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { holds } from '../transport/http/desk.ts';
import { causeOf, fakeAs, somebody, stepsOf } from '../auth/fake-as.ts';

// Of all together, as Node closes connections some turns later.
leavesNothing('all');

/** Pages that are no pages to log in at. */
const hostile = [
  'javascript:alert(document.cookie)',
  'JavaScript:alert(1)//auth.example/authorize',
  '\tjava\nscript:alert(1)',
  'data:text/html,<script>alert(1)</script>',
  'vbscript:msgbox(1)',
  'file:///c:/windows/system32/calc.exe',
  'file://evil.example/share/run.bat',
  'ftp://evil.example/authorize',
  'ms-msdt:/id%20PCWDiagnostic',
  'search-ms:query=calc',
  'vscode://evil.example/authorize',
  'blob:https://auth.example/1-2-3',
  'about:blank',
  'chrome://settings',
  'http://evil.example/authorize',
  'http://10.0.0.1/authorize',
  'http://127.0.0.1.evil.example/authorize',
  'http://localhost.evil.example/authorize',
  'https://me:secret@auth.example/authorize',
  'https://me@auth.example/authorize',
  'https://:secret@auth.example/authorize',
  // Where the host itself would be read by a shell.
  'https://$(calc.exe)/authorize',
  'https://a"&calc.exe&"/authorize',
  'https://a`calc.exe`/authorize',
  "https://a';calc.exe;'/authorize",
  'https://a;calc.exe/authorize',
  'https://a&calc.exe/authorize',
  'https://%24(calc.exe)/authorize',
];

/** Pages whose addresses hold what is a command elsewhere. */
const tempting = [
  'https://auth.example/$(calc.exe)',
  'https://auth.example/`calc.exe`',
  'https://auth.example/a" & calc.exe & "',
  "https://auth.example/a' ; calc.exe ; '",
  'https://auth.example/a|calc.exe;b&c!d*e<f>g^h\\i{j}',
  'https://auth.example/a\r\ncalc.exe',
  "https://auth.example/?q=$(calc.exe)`calc.exe`\" & calc.exe 'x'|<>^\r\n%0acalc.exe",
  'https://auth.example/#$(calc.exe)',
];

/** One word to any shell but for the `&` between parameters, and nothing that a shell would carry out. */
const plain = /^https:\/\/auth\.example\/[A-Za-z0-9\-._~/%+]*\?[A-Za-z0-9\-._~%+=&*]*$/;

const page = (endpoint: string): URL => {
  const url = new URL(endpoint);
  url.searchParams.set('state', 's1');
  return url;
};

/** Somewhere to come back to, and what was shown. */
const place = () => {
  const shown: unknown[][] = [];
  const callbacks = loopback({ onUrl: (...given) => void shown.push(given) });
  return { shown, callbacks };
};

describe('CVE-2025-6514: a hostile authorization endpoint', () => {
  it.each(hostile)('CVE-2025-6514: is shown to nobody: %j (SEC-06, SEC-08)', async (authorization_endpoint) => {
    const as = fakeAs({ metadata: { authorization_endpoint } });
    const { callback, pages } = somebody();
    const login = oauth({ callback });
    const steps = stepsOf(login);
    expect(await causeOf(as.client(login))).toBeInstanceOf(LoginFailed);
    expect(pages).toEqual([]);
    expect(steps.map(({ kind }) => kind)).not.toContain('visit');
    expect(as.asked).toEqual([]);
  });

  it.each(hostile.filter((url) => URL.canParse(url)))(
    'CVE-2025-6514: is not shown by a loopback either, whoever names it: %j (SEC-06)',
    async (endpoint) => {
      const { shown, callbacks } = place();
      const visited = firstValueFrom(callbacks([]).pipe(switchMap(({ visit }) => visit(page(endpoint)))));
      await expect(visited).rejects.toBeInstanceOf(LoginFailed);
      expect(shown).toEqual([]);
    },
  );

  it.each(tempting)(
    'CVE-2025-6514: is shown as one URL that says nothing to a shell: %j (SEC-07)',
    async (endpoint) => {
      const as = fakeAs({ metadata: { authorization_endpoint: endpoint } });
      const { shown, callbacks } = place();
      const login = oauth({ callback: callbacks });
      const steps = stepsOf(login);
      const connecting = causeOf(as.client(login));
      await holds(() => shown.length > 0);
      login.cancel();
      await connecting;
      expect(shown).toEqual([[expect.any(String)]]);
      const [[url = '']] = shown as [[string]];
      expect(url).toMatch(plain);
      expect(new URL(url).href).toBe(url);
      expect(steps).toContainEqual(expect.objectContaining({ kind: 'visit', url }));
    },
  );
});

describe('unsafe redirect schemes', () => {
  it.each([
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vbscript:x',
    'blob:https://app.example/1',
    'http://app.example/callback',
    'http://127.0.0.1.evil.example/callback',
    'https://me:secret@app.example/callback',
    'no URL',
  ])('unsafe redirect schemes: nobody is to come back to %j (AUTHC-45)', async (redirectUri) => {
    const as = fakeAs();
    const { callback, pages } = somebody(undefined, redirectUri);
    const error = await causeOf(as.client(oauth({ callback })));
    expect(error).toBeInstanceOf(Error);
    expect(pages).toEqual([]);
    expect(as.registrations).toEqual([]);
    expect(as.asked).toEqual([]);
  });

  it('unsafe redirect schemes: a loopback is none but http: on this machine, at a path', async () => {
    for (const path of ['javascript:alert(1)', '/\\evil.example/', 'https://evil.example/', '/a?b'])
      expect(() => loopback({ onUrl: () => undefined, path })).toThrow(Misconfigured);
    const { redirectUri } = await firstValueFrom(loopback({ onUrl: () => undefined })(['javascript:1', 'file:///x']));
    expect(redirectUri).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/callback$/);
  });

  it.each(['javascript:alert(1)', 'data:,x', 'http://app.example/client.json', 'https://me:secret@app.example/c'])(
    'unsafe redirect schemes: we are not known by a document at %j (AUTHC-19)',
    (metadataUrl) => {
      expect(() => oauth({ callback: somebody().callback, client: { metadataUrl } })).toThrow(Misconfigured);
    },
  );
});
