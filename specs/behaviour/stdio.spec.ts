import { behaves } from './suite.ts';
import { stdioWiring } from './wirings.ts';

behaves(stdioWiring);
