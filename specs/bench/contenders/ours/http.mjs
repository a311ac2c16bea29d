import { BehaviorSubject } from 'rxjs';
import { Schema, serve as serving, server, tool, tools } from 'rxmcp';
import { authorize, jwks } from 'rxmcp/auth';
import { http } from 'rxmcp/node';

const input = Schema.Struct({ text: Schema.String });
const info = { name: 'ours', version: '1.0.0' };

const echo = tool('echo', { description: 'Says it again', input }, ({ text }) => text);
const progress = tool('progress', { description: 'Tells its progress', input }, ({ text }, call) => {
  call.progress(1, 1);
  return text;
});
const further = (count) =>
  Array.from({ length: count }, (_, n) => tool(`more-${n}`, { description: 'One of many', input }, ({ text }) => text));

const listening = (exchange) =>
  new Promise((resolve) => {
    const onListening = ({ port }) => resolve(port);
    serving(exchange, http({ port: 0, onListening })).subscribe();
  });

const listen = (...features) => listening(server(info, ...features));

export const serve = (_revision, _style, more) => listen(echo, progress, ...further(Number(more)));

/** With a list that may change: something to listen to. */
export const changing = () => listen(tools(new BehaviorSubject([echo])));

/** For whoever brings a token of this issuer for this resource. */
export const guarded = (_revision, issuer, resource, keys) => {
  const verify = jwks({ issuer, keys: JSON.parse(keys) });
  return listening(authorize({ resource, verify, scopes: ['mcp'] })(server(info, echo)));
};
