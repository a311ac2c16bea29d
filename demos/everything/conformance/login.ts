/** How the conformance client proves who it is in the scenarios that want to know, and how each of them must end. */
import { defer, map, of } from 'rxjs';
import { Schema, type JsonObject } from 'rxmcp';
import {
  clientCredentials,
  enterpriseManaged,
  LoginFailed,
  oauth,
  workloadIdentity,
  type Authorization,
  type Callbacks,
  type KnownClient,
  type LoginStage,
  type OauthOptions,
} from 'rxmcp/auth';

type By = (context: JsonObject) => Authorization;

/** Stands for somebody with a browser: the page lets in whoever opens it, and sends them straight back. */
const callback: Callbacks = () =>
  of({
    redirectUri: 'http://localhost:3000/callback',
    visit: (page) =>
      defer(() => fetch(page, { redirect: 'manual' })).pipe(
        map(({ headers }) => new URL(headers.get('location') ?? '').searchParams),
      ),
  });

const someone =
  (more: Omit<OauthOptions, 'callback'> = {}): By =>
  () =>
    oauth({ callback, client: { name: 'rxmcp-conformance' }, ...more });

const anyone = someone();
/** The document is nowhere: the referee knows what would stand in it. */
const documented = someone({ client: { metadataUrl: 'https://conformance-test.local/client-metadata.json' } });
const bound = someone({ dpop: true });

const decode = <A, I>(shape: Schema.Schema<A, I>, context: JsonObject): A => Schema.decodeUnknownSync(shape)(context);

const Secret = Schema.Struct({ client_id: Schema.String, client_secret: Schema.String });
const known = (context: JsonObject): KnownClient => {
  const { client_id: clientId, client_secret: clientSecret } = decode(Secret, context);
  return { clientId, clientSecret };
};

const registered: By = (context) => oauth({ callback, client: { known: known(context) } });

const withSecret: By = (context) => clientCredentials({ client: known(context) });

const Key = Schema.Struct({
  client_id: Schema.String,
  private_key_pem: Schema.String,
  signing_algorithm: Schema.optionalWith(Schema.String, { default: () => 'ES256' }),
});
const withKey: By = (context) => {
  const { client_id: clientId, private_key_pem: pem, signing_algorithm: algorithm } = decode(Key, context);
  return clientCredentials({ client: { clientId, privateKey: { pem, algorithm } } });
};

const Enterprise = Schema.Struct({
  idp_client_id: Schema.String,
  idp_id_token: Schema.String,
  idp_issuer: Schema.String,
  idp_token_endpoint: Schema.String,
});
const employee: By = (context) => {
  const idp = decode(Enterprise, context);
  return enterpriseManaged({
    identityProvider: {
      issuer: idp.idp_issuer,
      tokenEndpoint: idp.idp_token_endpoint,
      client: { clientId: idp.idp_client_id },
    },
    assertion: () => idp.idp_id_token,
    client: known(context),
  });
};

const Workload = Schema.Struct({ client_id: Schema.String, valid_jwt: Schema.String });
const workload: By = (context) => {
  const { client_id: clientId, valid_jwt: jwt } = decode(Workload, context);
  return workloadIdentity({ assertion: () => jwt, client: { clientId } });
};

/** Who proves it, and how it ends for a client that behaves: logged in, or with a login that fails at that stage. */
export interface Login {
  readonly by: By;
  readonly ends: 'in' | LoginStage;
}

const table: readonly (readonly [scenario: string, by: By, ends: Login['ends']])[] = [
  ['metadata-default', anyone, 'in'],
  ['metadata-var1', anyone, 'in'],
  ['metadata-var2', anyone, 'in'],
  ['metadata-var3', anyone, 'in'],
  ['metadata-issuer-mismatch', anyone, 'discovery'],
  ['2025-03-26-oauth-metadata-backcompat', anyone, 'in'],
  ['2025-03-26-oauth-endpoint-fallback', anyone, 'in'],
  ['resource-mismatch', anyone, 'discovery'],
  ['authorization-server-migration', anyone, 'in'],
  ['basic-cimd', documented, 'in'],
  ['pre-registration', registered, 'in'],
  ['token-endpoint-auth-basic', anyone, 'in'],
  ['token-endpoint-auth-post', anyone, 'in'],
  ['token-endpoint-auth-none', anyone, 'in'],
  ['scope-from-www-authenticate', anyone, 'in'],
  ['scope-from-scopes-supported', anyone, 'in'],
  ['scope-omitted-when-undefined', anyone, 'in'],
  ['scope-step-up', anyone, 'in'],
  ['scope-retry-limit', anyone, 'scope'],
  ['offline-access-scope', anyone, 'in'],
  ['offline-access-not-supported', anyone, 'in'],
  ['iss-supported', anyone, 'in'],
  ['iss-not-advertised', anyone, 'in'],
  ['iss-supported-missing', anyone, 'authorization'],
  ['iss-wrong-issuer', anyone, 'authorization'],
  ['iss-unexpected', anyone, 'authorization'],
  ['iss-normalized', anyone, 'authorization'],
  ['dpop', bound, 'in'],
  ['dpop-nonce', bound, 'in'],
  ['client-credentials-basic', withSecret, 'in'],
  ['client-credentials-jwt', withKey, 'in'],
  ['enterprise-managed-authorization', employee, 'in'],
  ['wif-jwt-bearer', workload, 'in'],
];

export const logins: ReadonlyMap<string, Login> = new Map(
  table.map(([scenario, by, ends]) => [`auth/${scenario}`, { by, ends }]),
);

/**
 * Does something that is to end as its scenario says.
 *
 * Rejects where it ends in another way.
 */
export const ending = async (ends: Login['ends'], work: () => Promise<unknown>): Promise<void> => {
  if (ends === 'in') return void (await work());
  const error: unknown = await work().then(
    () => new Error(`the login was to fail: ${ends}`),
    (why: unknown) => why,
  );
  const isExpected = error instanceof Error && error.cause instanceof LoginFailed && error.cause.stage === ends;
  if (!isExpected) throw error;
};
