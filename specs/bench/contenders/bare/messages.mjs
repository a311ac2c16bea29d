/** What the hand-written contenders say: the least that a real peer accepts. */
export const text = 'hello, world';

const info = { name: 'bare', version: '1.0.0' };
const schema = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const tools = [{ name: 'echo', description: 'Says it again', inputSchema: schema }];

const meta = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': info,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** What a client sends before its first call, and the answers it waits for: none where every request speaks for itself. */
export const opening = (revision) =>
  revision === '2026-07-28'
    ? { request: undefined, notification: undefined }
    : {
        request: {
          jsonrpc: '2.0',
          id: 0,
          method: 'initialize',
          params: { protocolVersion: revision, capabilities: {}, clientInfo: info },
        },
        notification: { jsonrpc: '2.0', method: 'notifications/initialized' },
      };

export const callOf = (id, revision, name = 'echo', progressToken = undefined, said = text) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: {
    name,
    arguments: { text: said },
    ...(revision === '2026-07-28' ? { _meta: progressToken === undefined ? meta : { ...meta, progressToken } } : {}),
    ...(revision !== '2026-07-28' && progressToken !== undefined ? { _meta: { progressToken } } : {}),
  },
});

const resultOf = ({ method, params }) => {
  if (method === 'tools/call') {
    const said = params.arguments?.text;
    if (typeof said !== 'string') return undefined;
    const content = [{ type: 'text', text: said }];
    return params._meta?.['io.modelcontextprotocol/protocolVersion'] === undefined
      ? { content }
      : { resultType: 'complete', content };
  }
  if (method === 'initialize')
    return { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: info };
  if (method === 'server/discover')
    return {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: { tools: {} },
      ttlMs: 0,
      cacheScope: 'private',
      _meta: { 'io.modelcontextprotocol/serverInfo': info },
    };
  if (method === 'tools/list') return { resultType: 'complete', tools, ttlMs: 0, cacheScope: 'private' };
  if (method === 'ping') return {};
  return undefined;
};

/** The answer to a frame; undefined for what needs none. */
export const answer = (frame) => {
  if (frame.id === undefined || frame.method === undefined) return undefined;
  const result = resultOf(frame);
  return result === undefined
    ? { jsonrpc: '2.0', id: frame.id, error: { code: -32601, message: `not here: ${frame.method}` } }
    : { jsonrpc: '2.0', id: frame.id, result };
};
