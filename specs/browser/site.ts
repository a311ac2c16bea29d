/** A small web server on a port of its own: what is at each path, and what the page there may do. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Site {
  readonly port: number;
  /** Of a page of loopback. */
  readonly origin: string;
  /** The same page under another name, which is not loopback's. */
  readonly originAs: (name: string) => string;
  readonly close: () => Promise<void>;
}

/** Path → text; what ends in `.js` is a script, all else a page. */
export type Files = Readonly<Record<string, string>>;

/** No page of ours needs more than its own scripts and somebody to talk to: nothing is made to code from text. */
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src *; frame-src *";

/** A page that does nothing but load this script. */
export const pageWith = (script: string): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>spec</title><script src="${script}"></script></html>`;

export const site = async (files: Files): Promise<Site> => {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const text = Object.hasOwn(files, path) ? files[path] : undefined;
    response.writeHead(text === undefined ? 404 : 200, {
      'content-type': path.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8',
      'content-security-policy': policy,
    });
    response.end(text);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    originAs: (name) => `http://${name}:${port}`,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
};
