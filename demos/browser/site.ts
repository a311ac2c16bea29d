/** The page's own files, bundled in memory from their source, and what the page may do: nothing but run them and call home. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const at = (name: string): string => fileURLToPath(new URL(`page/${name}`, import.meta.url));

const script = async (): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [at('main.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('');
};

/**
 * Scripts and styles are the page's own files and no others, and the browser itself makes no markup out of text: what a
 * server says stays what it is (CVE-2025-58444).
 */
const policyFor = (port = 80): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    // Not every browser takes `ws:` for the page's own scheme.
    `connect-src 'self' ws://127.0.0.1:${port} ws://localhost:${port}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');

/** Answers requests for the page's files; there is nothing else, and nothing to change. */
export const pageSite = async (): Promise<(request: IncomingMessage, response: ServerResponse) => void> => {
  const [html, css, icon, main] = await Promise.all([
    readFile(at('index.html'), 'utf8'),
    readFile(at('style.css'), 'utf8'),
    readFile(at('icon.svg'), 'utf8'),
    script(),
  ]);
  const files: ReadonlyMap<string, readonly [type: string, text: string]> = new Map([
    ['/', ['text/html; charset=utf-8', html]],
    ['/style.css', ['text/css; charset=utf-8', css]],
    ['/icon.svg', ['image/svg+xml', icon]],
    ['/main.js', ['text/javascript; charset=utf-8', main]],
  ]);
  return ({ url = '', method, socket }, response) => {
    const [type, text] = files.get(url) ?? ['text/plain; charset=utf-8', 'There is nothing here.\n'];
    const wrong = method !== 'GET' && method !== 'HEAD';
    response.writeHead(wrong ? 405 : files.has(url) ? 200 : 404, {
      'content-type': type,
      'content-security-policy': policyFor(socket.localPort),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
    });
    response.end(wrong || method === 'HEAD' ? undefined : text);
  };
};
