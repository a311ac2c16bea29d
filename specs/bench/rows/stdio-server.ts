/** The server's process, under one driver for all, sixteen calls in flight. */
import { start } from '../child.ts';
import { type Revision, type Row, calls, contenderFile, librariesOf, measuredFile } from '../row.ts';

export const stdioServer = (revision: Revision): Row => ({
  title: 'stdio server',
  revision,
  wanted: { sdk2: revision === '2026-07-28' ? 0.11 : 0.15 },
  plan: calls,
  start: async (cores) => {
    const driver = await start(cores.driving(measuredFile('driver.mjs')));
    const libraries = librariesOf(revision);
    for (const library of libraries)
      await driver.ask({ spawn: library, command: cores.measured(contenderFile(library, 'server.mjs')), revision });
    return {
      contenders: libraries.map((library) => ({
        name: library,
        measure: (count) => driver.ask({ key: library, calls: count }),
      })),
      stop: () => driver.stop(),
    };
  },
});
