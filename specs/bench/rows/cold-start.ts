/** From `node server.mjs` to the answer to its first call, by the clock: what waiting for a server costs. */
import { start } from '../child.ts';
import { type Revision, type Row, contenderFile, librariesOf, measuredFile } from '../row.ts';

export const coldStart = (revision: Revision): Row => ({
  title: 'cold start',
  revision,
  wanted: { sdk2: 0.7 },
  plan: { rounds: 15, warmUps: 2, first: 1, turn: 0, by: 'wall' },
  start: async (cores) => {
    const driver = await start(cores.driving(measuredFile('driver.mjs')));
    return {
      contenders: librariesOf(revision).map((library) => ({
        name: library,
        measure: async (count) => {
          let wall = 0;
          for (let n = 0; n < count; n++)
            wall +=
              (await driver.ask({ first: cores.measured(contenderFile(library, 'server.mjs')), revision })).wall ?? NaN;
          return { wall };
        },
      })),
      stop: () => driver.stop(),
    };
  },
});
