import { behaves } from './suite.ts';
import { socketWiring } from './wirings.ts';

behaves(socketWiring);
