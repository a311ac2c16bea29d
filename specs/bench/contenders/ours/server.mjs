import { Schema, serve, server, tool } from 'rxmcp';
import { stdio } from 'rxmcp/node';

const input = Schema.Struct({ text: Schema.String });
const echo = tool('echo', { description: 'Says it again', input }, ({ text }) => text);

serve(server({ name: 'ours', version: '1.0.0' }, echo), stdio()).subscribe();
