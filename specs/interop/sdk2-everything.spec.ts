/** The official client 2.x drives demos/everything over stdio, in both eras. */
import { drivesEverything } from './drives-everything.ts';
import { sdk2 } from './sdk2-driver.ts';

drivesEverything({
  name: 'the client of SDK 2, modern',
  connect: sdk2({ pin: '2026-07-28' }),
  revision: '2026-07-28',
});
drivesEverything({ name: 'the client of SDK 2, by handshake', connect: sdk2('legacy'), revision: '2025-11-25' });
