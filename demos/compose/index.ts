/**
 * Servers out of servers: merged under prefixes, restricted, behind gates, and reached through a proxy.
 *
 *     npm run demo compose
 */
import { fileURLToPath } from 'node:url';
import { lastValueFrom } from 'rxjs';
import { gate, mergeServers, open, restrict, RpcError } from 'rxmcp';
import { socket, spawn } from 'rxmcp/node';
import { check, story } from '../story/check.ts';
import { chapter, good, say } from '../story/tell.ts';
import { cancellation, names, progress, refusal } from './guest.ts';
import { kitchen } from './kitchen.ts';
import { openingHours } from './opening-hours.ts';
import { serving } from './serving.ts';

const program = fileURLToPath(new URL('../hello/server.ts', import.meta.url));

await story(async () => {
  chapter('Compose');
  const { server, out$ } = kitchen();
  let isOpen = true;
  await using hello = await open(spawn(process.execPath, ['--import', 'tsx', program]));
  const house = mergeServers(
    { name: 'house', version: '1.0.0' },
    { kitchen: restrict({ tools: (name) => name !== 'burn' })(server), hello: hello.exchange },
  );
  const guarded = openingHours(() => isOpen)(house);
  say('A kitchen in this process, without its tool "burn", and the hello demo in another process: merged,');
  say('behind opening hours, served on TCP. A proxy on a second port is a client of the first, served.');

  using front = await serving(guarded);
  await using client = await open(socket({ port: front.port }));
  using proxy = await serving(client.exchange);
  await using guest = await open(socket({ port: proxy.port }));

  chapter('Use it, through the proxy');
  await names(guest);
  await progress(guest);
  await cancellation(guest, out$);

  chapter('Be refused');
  good(
    `kitchen.burn is on no list, and calling it is answered with: ${await refusal(guest, 'kitchen.burn', {}, /unknown/)}`,
  );
  isOpen = false;
  good(`after hours: ${await refusal(guest, 'kitchen.bake', { minutes: 1 }, /closed/)}`);
  const naked = await lastValueFrom(gate()(server)({ method: 'tools/list' }, {})).catch((error: unknown) => error);
  check(
    naked instanceof RpcError && naked.message.includes('_meta'),
    'a request without its envelope should be refused',
    naked,
  );
  good(`the protocol's own gate, asked without any transport: ${naked.message}`);
});
