/** The worker as Node 20 can start it. */
import { register } from 'tsx/esm/api';

register();
await import('./fixture.worker.ts');
