/**
 * Looks at a server and asks it things; one JSON object per line tells what happened.
 *
 *     node --import tsx demos/everything/probe.ts (--stdio "<server command>" | --url <url> | --sse <url> | --ws <url>)
 *       [--era auto|legacy|modern] [--call 'name={json}']... [--read <uri>]... [--prompt 'name={json}']... [--timeout <ms>]
 */
import { open } from 'rxmcp';
import { answers } from './probe/answers.ts';
import { messageOf, print } from './probe/line.ts';
import { ordersOf } from './probe/orders.ts';
import { patience } from './probe/patience.ts';
import { reach } from './probe/reach.ts';
import { visit } from './probe/visit.ts';

try {
  const { to, revisions, errands, timeoutMs } = ordersOf(process.argv.slice(2));
  const channel = reach(to);
  const child = 'stderr$' in channel ? channel : undefined;
  child?.stderr$.subscribe((line) => console.error(line));
  // Where there is one way only, it may take all of the time.
  const certain = revisions !== undefined || to.kind === 'sse';
  try {
    const client = await open(channel, {
      answers,
      ...(revisions === undefined ? undefined : { revisions }),
      ...(timeoutMs === undefined ? undefined : patience(timeoutMs, certain)),
    });
    try {
      await visit(client, errands, print);
    } finally {
      await client.close();
    }
  } finally {
    // Where it could not be connected to, it has a process all the same.
    await child?.closed();
  }
  print('closed');
} catch (error) {
  print('error', { message: messageOf(error) });
  process.exitCode = 1;
}
