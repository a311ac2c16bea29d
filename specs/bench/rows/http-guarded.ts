/** What it costs to let in only those who prove who they are: a server with `authorize`, to the same one without. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Library, type Revision, type Row, httpCalls } from '../row.ts';
import { web } from './web.ts';

const issuer = 'https://issuer.example';
const resource = 'http://127.0.0.1/mcp';

/** A token that outlives the measurement, and the key that proves it. */
const signed = async (): Promise<{ readonly token: string; readonly keys: string }> => {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const token = await new SignJWT({ sub: 'ada', client_id: 'bench', scope: 'mcp' })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
    .setIssuer(issuer)
    .setAudience(resource)
    .setIssuedAt()
    .setExpirationTime('2h')
    .sign(privateKey);
  return { token, keys: JSON.stringify({ keys: [await exportJWK(publicKey)] }) };
};

const libraries: readonly Library[] = ['ours', 'open'];

export const httpGuarded = (revision: Revision): Row => ({
  title: 'HTTP server, JSON, protected',
  revision,
  wanted: { open: 1.3 },
  plan: httpCalls,
  start: async (cores) => {
    const { token, keys } = await signed();
    const name = (library: Library): string => (library === 'open' ? 'serve' : 'guarded');
    return web(
      cores,
      revision,
      {
        file: 'http.mjs',
        name,
        libraries,
        args: (library) => (library === 'open' ? ['json', '0'] : [issuer, resource, keys]),
      },
      { kind: 'http', tool: 'echo', lanes: 64, authorization: `Bearer ${token}` },
    );
  },
});
