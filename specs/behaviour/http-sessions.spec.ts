import { sessionsEvents, sessionsJson, sessionsPolled } from './http-wirings.ts';
import { behaves } from './suite.ts';

behaves(sessionsJson);
behaves(sessionsEvents);
behaves(sessionsPolled);
