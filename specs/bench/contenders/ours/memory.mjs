import { concat, map, of, range } from 'rxjs';
import { Schema, inMemory, open, progress as step, server, tool } from 'rxmcp';
import { text } from '../bare/messages.mjs';

const input = Schema.Struct({ text: Schema.String });

const linked = (revision, handler) => {
  const echoing = server(
    { name: 'ours', version: '1.0.0' },
    tool('echo', { description: 'Says it again', input }, handler),
  );
  return open(inMemory(echoing), { revisions: [revision] });
};

export const echo = async (revision) => {
  const client = await linked(revision, ({ text }) => text);
  return {
    call: async () => (await client.callTool('echo', { text })).content[0].text,
    close: () => client.close(),
  };
};

export const progress = async (revision) => {
  const client = await linked(revision, ({ text }) => concat(range(1, 20).pipe(map((n) => step(n, 20))), of(text)));
  return {
    call: () =>
      new Promise((resolve, reject) => {
        let seen = 0;
        client.call('echo', { text }).subscribe({
          next: (event) => {
            if (event.kind === 'progress') seen++;
            else resolve(seen === 20 ? event.result.content[0].text : `${seen} notices`);
          },
          error: reject,
        });
      }),
    close: () => client.close(),
  };
};
