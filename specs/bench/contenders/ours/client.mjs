import { open } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import { text } from '../bare/messages.mjs';

export const client = async (revision, command, ...args) => {
  const connected = await open(spawn(command, args), { revisions: [revision] });
  return {
    call: async () => (await connected.callTool('echo', { text })).content[0].text,
    close: () => connected.close(),
  };
};
