/** Drives demos/everything over the network, by suites that know servers by their commands. */
import { listening } from '../demos/everything/listening.ts';
import type { Connect, ConnectTo } from './driver.ts';

/**
 * Connects to a server that was started for this one client, and ends it afterwards.
 *
 * @param transport - the server's, as its command line has it
 * @param connectTo - how the client gets there
 */
export const networked =
  (transport: 'http' | 'sse', connectTo: ConnectTo): Connect =>
  async (_command, _args, env, answered) => {
    const { url, stop } = await listening(transport, env);
    try {
      const driver = await connectTo(url, answered);
      return {
        ...driver,
        close: async () => {
          await driver.close();
          await stop();
        },
      };
    } catch (error) {
      await stop();
      throw error;
    }
  };
