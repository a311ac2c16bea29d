import { behaves } from './suite.ts';
import { memory } from './wirings.ts';

behaves(memory);
