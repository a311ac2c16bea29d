/** The official client 2.x drives demos/everything over stdio, Streamable HTTP and the transport before it, in both eras. */
import { drivesEverything } from './drives-everything.ts';
import { networked } from './networked.ts';
import { sdk2, sdk2Http, sdk2Sse } from './sdk2-driver.ts';

const [modern, legacy] = ['2026-07-28', '2025-11-25'] as const;
const pinned = { pin: modern } as const;

drivesEverything({ name: 'the client of SDK 2, modern', connect: sdk2(pinned), revision: modern });
drivesEverything({ name: 'the client of SDK 2, by handshake', connect: sdk2('legacy'), revision: legacy });
drivesEverything({
  name: 'the client of SDK 2, modern, over HTTP,',
  connect: networked('http', sdk2Http(pinned)),
  revision: modern,
});
drivesEverything({
  name: 'the client of SDK 2, finding out, over HTTP,',
  connect: networked('http', sdk2Http('auto')),
  revision: modern,
});
drivesEverything({
  name: 'the client of SDK 2, by handshake, over HTTP,',
  connect: networked('http', sdk2Http('legacy')),
  revision: legacy,
});
drivesEverything({
  name: 'the client of SDK 2, over SSE,',
  connect: networked('sse', sdk2Sse),
  revision: legacy,
});
