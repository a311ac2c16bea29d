import { behaves } from './suite.ts';
import { messagePortWiring } from './wirings.ts';

behaves(messagePortWiring);
