import { statelessEvents, statelessJson } from './http-wirings.ts';
import { behaves } from './suite.ts';

behaves(statelessJson);
behaves(statelessEvents);
