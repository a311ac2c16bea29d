import { modernEvents, modernJson } from './http-wirings.ts';
import { behaves } from './suite.ts';

behaves(modernJson);
behaves(modernEvents);
