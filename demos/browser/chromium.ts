/** The machine's own Chromium, driven by `playwright-core`, which downloads none. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

/** What to say where there is none. */
export const noChromium = 'there is no `chromium` on PATH; on Debian, `apt-get install chromium` brings it';

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
};

/** Where it is, if it is anywhere on PATH. */
export const chromiumPath = (): string | undefined =>
  (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'chromium'))
    .find(isExecutable);

/**
 * Starts a browser that nobody sees, with a profile of its own.
 *
 * @param args - besides those that playwright gives it
 * @throws Error where there is no Chromium
 */
export const startChromium = (args: readonly string[] = []): Promise<Browser> => {
  const executablePath = chromiumPath();
  if (executablePath === undefined) return Promise.reject(new Error(noChromium));
  return chromium.launch({ executablePath, args: [...args] });
};
