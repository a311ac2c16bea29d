/** The official client 1.x drives demos/everything over stdio. */
import { drivesEverything } from './drives-everything.ts';
import { sdk1 } from './sdk1-driver.ts';

drivesEverything({ name: 'the client of SDK 1', connect: sdk1, revision: '2025-11-25' });
