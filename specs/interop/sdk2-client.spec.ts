/** The official client 2.x drives our servers over stdio, in both eras. */
import { drivesFiles, drivesOurs } from './drives.ts';
import { sdk2 } from './sdk2-driver.ts';

const modern = { name: 'the client of SDK 2, modern', connect: sdk2({ pin: '2026-07-28' }), revision: '2026-07-28' };
const legacy = { name: 'the client of SDK 2, by handshake', connect: sdk2('legacy'), revision: '2025-11-25' };
const probing = { name: 'the client of SDK 2, finding out', connect: sdk2('auto'), revision: '2026-07-28' };

drivesFiles(modern);
drivesFiles(legacy);
drivesOurs(probing);
drivesOurs(legacy);
