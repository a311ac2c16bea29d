import { oldestEvents } from './http-wirings.ts';
import { behaves } from './suite.ts';

behaves(oldestEvents);
