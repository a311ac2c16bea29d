import { sseWiring } from './sse-wiring.ts';
import { behaves } from './suite.ts';

behaves(sseWiring);
