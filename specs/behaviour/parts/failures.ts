/** What fails, what is malformed, and what ends: alone, and told clearly. */
import { firstValueFrom } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { codes, ConnectionClosed, RpcError } from '../../../lib/index.ts';
import { answerTo, fresh } from '../party.ts';
import { dataOf, errorOf, textOf, type Scene } from '../scene.ts';

export const failures = ({ party, wiring }: Scene): void => {
  describe('what fails', () => {
    it.each(['sync', 'promise', 'iterable', 'observable', 'effect', 'defect'])(
      'is a result that says so, without stack or path: %s (TOOL-17)',
      async (how) => {
        const { client, mark } = party();
        const overheard = mark();
        const result = await client.callTool('fails', { how });
        expect(result.isError).toBe(true);
        expect(textOf(result)).toBe('cannot open [path]');
        const sent = JSON.stringify(answerTo(overheard(), 'tools/call'));
        expect(sent).not.toMatch(/ada|secrets|key\.pem|fixture\.ts|\bat /);
      },
    );

    it.each(['odd', 'nothing'])('is told even where what was thrown says nothing: %s', async (how) => {
      expect(await party().client.callTool('fails', { how })).toMatchObject({
        isError: true,
        content: [{ text: 'fails failed' }],
      });
    });

    it('on purpose, with an RpcError, is that error (ERR-07)', async () => {
      const error = await errorOf(party().client.callTool('refuses', {}));
      expect(error).toBeInstanceOf(RpcError);
      expect(error).toMatchObject({ code: 4711, message: 'not today', data: { until: 'tomorrow' } });
    });

    it('for its arguments never reaches the handler, and names the field (TOOL-19, AMB-06)', async () => {
      const result = await party().client.callTool('echo', { txt: 'x' } as never);
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('text');
    });

    it('for its shape, or its name, is an invalid request (TOOL-18)', async () => {
      const { ask, client } = party();
      for (const params of [
        { name: 'echo', arguments: [] },
        { name: 'echo', arguments: 'x' },
        { name: 5 },
        { arguments: {} },
      ]) {
        // What is no name cannot be repeated in a header, which is looked at first (AMB-03).
        const nameless = wiring.headed === true && typeof params.name !== 'string';
        expect(await ask('tools/call', params)).toMatchObject({
          error: { code: nameless ? codes.headerMismatch : codes.invalidParams },
        });
      }
      for (const name of ['nobody', '', 'ECHO', '__proto__', 'constructor'])
        expect(await errorOf(client.callTool(name as 'echo', { text: '' }))).toMatchObject({
          code: codes.invalidParams,
        });
    });

    it('for its method is -32601, whatever it is called (ERR-01, CAP-07)', async () => {
      const { ask } = party();
      for (const method of [
        'no/such',
        '',
        '__proto__',
        'constructor',
        'toString',
        'sampling/createMessage',
        'tasks/list',
      ])
        expect(await ask(method)).toMatchObject({ error: { code: codes.methodNotFound } });
    });

    it('because it does not fit its own output schema is told to the model, not sent (TOOL-12)', async () => {
      const { client, mark } = party();
      const overheard = mark();
      const result = await client.callTool('lies', {});
      expect(result.isError).toBe(true);
      expect(textOf(result)).toContain('lies gave a result that does not fit its own output schema');
      expect(answerTo(overheard(), 'tools/call')['result']).not.toHaveProperty('structuredContent');
    });

    it('because JSON cannot say it is an error, and the connection lives', async () => {
      const { client } = party();
      if (wiring.serialises)
        expect(await errorOf(client.callTool('unsendable', {}))).toMatchObject({ code: codes.internalError });
      expect(textOf(await client.callTool('echo', { text: 'x' }))).toBe('x');
    });
  });
};

export const badInput = ({ spare, revision, wiring, has, needing }: Scene): void => {
  it('what is no request is told so, by its id where there is one, and the next call is answered (RPC-01, RPC-02, RPC-03, RPC-15)', async () => {
    const { client, inject, wire } = await spare();
    const wrong: readonly (readonly [unknown, unknown])[] = [
      [{ jsonrpc: '1.0', id: 'a', method: 'ping' }, 'a'],
      [{ id: 'b', method: 'ping' }, 'b'],
      [{ jsonrpc: '2.0', id: 'c', method: 5 }, 'c'],
      [{ jsonrpc: '2.0', id: 'd', method: 'ping', params: [1, 2] }, 'd'],
      [{ jsonrpc: '2.0', id: 'e', method: 'ping', params: null }, 'e'],
      [{ jsonrpc: '2.0', id: 'f' }, 'f'],
      [{ jsonrpc: '2.0', id: null, method: 'ping' }, undefined],
      [{ jsonrpc: '2.0', id: 1.5, method: 'ping' }, undefined],
      [{ jsonrpc: '2.0', id: 2 ** 53 + 2, method: 'ping' }, undefined],
      [{ jsonrpc: '2.0', id: {}, method: 'ping' }, undefined],
      [{}, undefined],
    ];
    for (const [message, id] of wrong) {
      const { length } = wire.overheard;
      inject(message);
      const answer = await wire.next(({ way }) => way === 'in', length);
      expect(answer).toMatchObject({
        jsonrpc: '2.0',
        error: { code: codes.invalidRequest, message: expect.stringMatching(/\S/) as string },
      });
      expect(answer['id']).toBe(id);
    }
    expect(textOf(await client.callTool('echo', { text: revision }))).toBe(revision);
  });

  it('responses that nobody asked for provoke nothing (RPC-14, RPC-25)', async () => {
    const { client, inject, mark } = await spare();
    const overheard = mark();
    for (const message of [
      { jsonrpc: '2.0', id: 12345, result: {} },
      { jsonrpc: '2.0', id: 12345, error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', id: 1, result: {}, error: { code: 1, message: 'x' } },
      { jsonrpc: '2.0', id: 1, result: [] },
      { jsonrpc: '2.0', id: 1, error: 'x' },
    ])
      inject(message);
    await client.callTool('echo', { text: 'x' });
    const heard = overheard().filter(({ way }) => way === 'in');
    const answers = heard.filter(({ message }) => 'id' in message);
    expect(answers).toHaveLength(1);
    // Where each is posted by itself, the POST is refused; which answers nobody, as it names no id (SHTTP-11).
    const refusals = heard.filter((one) => !answers.includes(one));
    if (wiring.posts !== true) expect(refusals).toEqual([]);
    for (const { message } of refusals) expect(message).toMatchObject({ error: { code: codes.invalidRequest } });
  });

  needing('shares', () => {
    it('an id in flight is not taken twice: the second is refused without an id, the first goes on (RPC-05, RPC-06)', async () => {
      const { client, inject, wire, ask, recall } = await spare();
      const name = fresh('twice');
      void ask('tools/call', { name: 'endless', arguments: { way: 'observable', name } }, 0);
      await recall(`${name} began`);
      const { length } = wire.overheard;
      void ask('tools/call', { name: 'echo', arguments: { text: 'stolen' } }, 0);
      const refusal = await wire.next(({ way }) => way === 'in', length);
      expect(refusal).toEqual({
        jsonrpc: '2.0',
        error: {
          code: codes.invalidRequest,
          message: expect.stringMatching(/^id .*0.* is already in flight$/) as string,
        },
      });
      inject({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } });
      await recall(`${name} unsubscribed`);
      expect(textOf(await client.callTool('echo', { text: 'x' }))).toBe('x');
      // Free again.
      expect(await ask('tools/call', { name: 'echo', arguments: { text: 'again' } }, 0)).toMatchObject({
        id: 0,
        result: { content: [{ text: 'again' }] },
      });
    });
  });

  if (!has('shares'))
    it('an id is a matter of its own POST: whoever uses it at the same time is answered, too (RPC-06)', async () => {
      const { client, inject, ask, recall } = await spare();
      const name = fresh('twice');
      void ask('tools/call', { name: 'endless', arguments: { way: 'observable', name } }, 0);
      await recall(`${name} began`);
      expect(await ask('tools/call', { name: 'echo', arguments: { text: 'beside' } }, 0)).toMatchObject({
        id: 0,
        result: { content: [{ text: 'beside' }] },
      });
      expect(dataOf(await client.callTool('live', {}))).toHaveProperty(name);
      inject({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } });
      await recall(`${name} unsubscribed`);
    });
};

export const endings = ({ another, wired }: Scene): void => {
  describe('a connection that is closed', () => {
    it('fails what still waits, and stops its work (LIFE-15, LIFE-16)', async () => {
      const { client, recall, wire } = await another();
      const name = fresh('closing');
      const failed = errorOf(client.callTool('endless', { way: 'promise', name }));
      const events: unknown[] = [];
      client
        .call('endless', { way: 'observable', name: `${name} too` })
        .subscribe({ error: (error: unknown) => events.push(error) });
      await recall(`${name} too began`);
      await client.close();
      expect(await failed).toBeInstanceOf(ConnectionClosed);
      expect(events).toEqual([expect.any(ConnectionClosed)]);
      await wired().ledger?.noted(`${name} aborted`);
      await wired().ledger?.noted(`${name} too unsubscribed`);
      expect(wire.open).toBe(0);
    });

    it('fails what is asked of it afterwards, and sends nothing', async () => {
      const { client, mark } = await another();
      await client.close();
      const overheard = mark();
      expect(await errorOf(client.callTool('echo', { text: 'x' }))).toBeInstanceOf(ConnectionClosed);
      // A live list may also just be over.
      expect(await errorOf(firstValueFrom(client.tools$))).toBeInstanceOf(Error);
      expect(overheard()).toEqual([]);
      await expect(client.closed).resolves.toBeUndefined();
    });
  });
};
