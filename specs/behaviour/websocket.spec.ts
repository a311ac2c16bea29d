import { behaves } from './suite.ts';
import { webSocketWiring } from './wirings.ts';

behaves(webSocketWiring);
