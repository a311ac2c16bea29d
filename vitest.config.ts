import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const lib = (path: string) => fileURLToPath(new URL(`./lib/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^rxmcp\/auth$/, replacement: lib('auth/index.ts') },
      { find: /^rxmcp\/node$/, replacement: lib('node/index.ts') },
      { find: /^rxmcp\/testing$/, replacement: lib('testing/index.ts') },
      { find: /^rxmcp$/, replacement: lib('index.ts') },
    ],
  },
  test: {
    include: ['specs/**/*.spec.ts'],
    testTimeout: 30_000,
    pool: 'forks',
    reporters: ['default'],
  },
});
