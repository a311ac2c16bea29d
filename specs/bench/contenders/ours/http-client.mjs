import { open } from 'rxmcp';
import { remote } from 'rxmcp/node';
import { text } from '../bare/messages.mjs';

export const client = async (revision, url) => {
  const connected = await open(remote(url), { revisions: [revision] });
  return {
    call: async () => (await connected.callTool('echo', { text })).content[0].text,
    close: () => connected.close(),
  };
};
