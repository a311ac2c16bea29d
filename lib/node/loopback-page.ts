/** What somebody sees who comes back from an authorization server: nothing in it comes from what they bring along. */
import type { ServerResponse } from 'node:http';

/** How somebody has come back: logged in, or not, or once more, or with something that nobody here has asked for. */
export type Return = 'success' | 'failure' | 'again' | 'unknown';

const said: Readonly<Record<Return, readonly [title: string, text: string]>> = {
  success: ['You are logged in', 'You can close this page and go back to where you came from.'],
  failure: ['You are not logged in', 'The login did not go through. Go back to where you came from to see why.'],
  again: ['This login is done', 'You can close this page and go back to where you came from.'],
  unknown: ['Nobody waits for this login', 'It may have taken too long. Go back to where you came from and try again.'],
};

const style = `
  :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; }
  main { max-width: 26rem; padding: 2rem; text-align: center; }
  h1 { margin: 0 0 0.5rem; font-size: 1.5rem; font-weight: 600; }
  p { margin: 0; opacity: 0.75; }`;

/** The page that says how somebody has come back. */
export const pageFor = (how: Return): string => {
  const [title, text] = said[how];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${style}
</style>
</head>
<body><main><h1>${title}</h1><p>${text}</p></main></body>
</html>
`;
};

/** Nothing may run in it, frame it or keep it, nor learn where it was (CVE-2025-62800). */
const shield = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  connection: 'close',
};

/** Answers with a page. */
export const show = (response: ServerResponse, status: number, page: string): void => {
  // Node would keep a timer for the date.
  response.sendDate = false;
  const size = { 'content-type': 'text/html; charset=utf-8', 'content-length': Buffer.byteLength(page) };
  response.writeHead(status, { ...shield, ...size, ...(status === 405 ? { allow: 'GET' } : undefined) });
  response.end(page);
};
