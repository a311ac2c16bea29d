import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryTokens } from 'rxmcp/auth';
import { tokenFile } from 'rxmcp/node';
import { onTestFinished } from 'vitest';
import { leavesNothing } from '../behaviour/leaks.ts';
import { tokenStoreContract } from './token-store.contract.ts';

leavesNothing();

tokenStoreContract('memoryTokens', async () => ({ store: memoryTokens() }));

tokenStoreContract('tokenFile', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'rxmcp-tokens-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'deep', 'tokens.json');
  return { store: tokenFile(path), again: tokenFile(path) };
});
