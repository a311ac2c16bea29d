/** The official client 1.x drives demos/everything over stdio, Streamable HTTP and the transport before it. */
import { drivesEverything } from './drives-everything.ts';
import { networked } from './networked.ts';
import { sdk1, sdk1Http, sdk1Sse } from './sdk1-driver.ts';

const revision = '2025-11-25';

drivesEverything({ name: 'the client of SDK 1', connect: sdk1, revision });
drivesEverything({ name: 'the client of SDK 1, over HTTP,', connect: networked('http', sdk1Http), revision });
drivesEverything({ name: 'the client of SDK 1, over SSE,', connect: networked('sse', sdk1Sse), revision });
