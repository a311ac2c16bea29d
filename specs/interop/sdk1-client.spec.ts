/** The official client 1.x drives our servers over stdio. */
import { drivesFiles, drivesOurs } from './drives.ts';
import { sdk1 } from './sdk1-driver.ts';

const client = { name: 'the client of SDK 1', connect: sdk1, revision: '2025-11-25' };

drivesFiles(client);
drivesOurs(client);
