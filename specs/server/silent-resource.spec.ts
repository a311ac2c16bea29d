import { inMemory, open, resource, server } from 'rxmcp';
import { concat, firstValueFrom, NEVER, of, take, toArray } from 'rxjs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('a live resource without a first value does not withhold the acknowledgement; one that is missing is left out', async () => {
  const house = server(
    { name: 'house', version: '1' },
    resource('x:silent', { live: true }, () => NEVER),
    resource('x:there', { live: true }, () => concat(of('now'), NEVER)),
    resource('x:missing', { live: true }, () => of(undefined)),
  );
  const client = await open(inMemory(house));
  const first = firstValueFrom(
    client.listen({ resourceSubscriptions: ['x:silent', 'x:there', 'x:missing'] }).pipe(take(1), toArray()),
  );
  await vi.advanceTimersByTimeAsync(100);
  expect(await first).toMatchObject([
    { params: { notifications: { resourceSubscriptions: ['x:silent', 'x:there'] } } },
  ]);
  await client.close();
});
