import { behaves } from './suite.ts';
import { serialisedMemory } from './wirings.ts';

behaves(serialisedMemory);
