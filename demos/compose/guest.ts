/** Somebody who only knows a port, and what they can do there. */
import { firstValueFrom, lastValueFrom, take, timeout, toArray, type Observable } from 'rxjs';
import { RpcError, type Client } from 'rxmcp';
import { check } from '../story/check.ts';
import { good } from '../story/tell.ts';

/** How long anything here may take, in milliseconds. */
const patience = 10_000;

export const names = async (guest: Client): Promise<void> => {
  const tools = await firstValueFrom(guest.tools$.pipe(timeout(patience)));
  const found = tools.map(({ name }) => name).sort();
  check(found.join() === 'hello.greet,kitchen.bake', 'the tools should be hello.greet and kitchen.bake', found);
  good(`two servers as one, by prefix: ${found.join(', ')}`);

  const { content } = await guest.callTool('hello.greet', { name: 'Ada' });
  const [said] = content;
  check(said?.type === 'text' && said.text.includes('Hello, Ada!'), 'the process behind should greet', content);
  good('hello.greet is answered by a process of its own, three hops away');
};

export const progress = async (guest: Client): Promise<void> => {
  const events = await lastValueFrom(guest.call('kitchen.bake', { minutes: 5 }).pipe(timeout(patience), toArray()));
  const heard = events.flatMap((event) => (event.kind === 'progress' ? [event.progress] : []));
  check(heard.join() === '1,2,3,4,5', 'each minute should be heard of, in order', heard);
  check(events.at(-1)?.kind === 'result', 'the cake should come last', events.at(-1));
  good(`progress comes through: ${heard.join(' ')}, then the cake`);
};

/** @param out$ - emits when an oven of the kitchen goes out */
export const cancellation = async (guest: Client, out$: Observable<void>): Promise<void> => {
  const out = firstValueFrom(out$.pipe(timeout(patience)));
  // It would bake for hours; `take` unsubscribes after two minutes of it.
  const baking = guest.call('kitchen.bake', { minutes: 1_000_000 }).pipe(take(2), timeout(patience));
  await Promise.all([lastValueFrom(baking), out]);
  good('cancelling comes through: unsubscribed after two minutes, and the oven is out');
};

/** What is not permitted does not exist, and cannot be used by whoever knows its name all the same. */
export const refusal = async (guest: Client, name: string, args: object, why: RegExp): Promise<string> => {
  const error = await guest.callTool(name, { ...args }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  check(error instanceof RpcError && why.test(error.message), `${name} should be refused`, error);
  return `${error.message} (${error.code})`;
};
