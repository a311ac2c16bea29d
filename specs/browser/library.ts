/** Our library as a page gets it: bundled for browsers from its source, and reached from a spec. */
import { build } from 'esbuild';
import type { Frame, JSHandle, Page } from 'playwright-core';
import { fileURLToPath } from 'node:url';

export type Library = typeof import('../../lib/index.ts');

/** What a page knows it by. */
const globalName = 'rxmcp';

/** A program of ours as one script without imports. */
export const bundled = async (entry: URL): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    bundle: true,
    write: false,
    format: 'iife',
    globalName,
    platform: 'browser',
    target: 'es2022',
    logLevel: 'silent',
  });
  return outputFiles.map(({ text }) => text).join('');
};

/** The whole library, which calls itself `rxmcp`. */
export const bundledLibrary = (): Promise<string> => bundled(new URL('../../lib/index.ts', import.meta.url));

/** The library in a page or frame that has loaded it. */
export const libraryIn = (page: Page | Frame): Promise<JSHandle<Library>> => page.evaluateHandle<Library>(globalName);
