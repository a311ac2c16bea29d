import { Schema, serve as serving, server, tool } from 'rxmcp';
import { webSockets } from 'rxmcp/node';

const input = Schema.Struct({ text: Schema.String });
const echo = tool('echo', { description: 'Says it again', input }, ({ text }) => text);

export const serve = () =>
  new Promise((resolve) => {
    const onListening = ({ port }) => resolve(port);
    serving(server({ name: 'ours', version: '1.0.0' }, echo), webSockets({ onListening })).subscribe();
  });
