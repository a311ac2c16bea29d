/** The official client 2.x logs in to our protected server, in both eras. */
import {
  Client,
  StreamableHTTPClientTransport,
  UnauthorizedError,
  type OAuthClientProvider,
  type OAuthDiscoveryState,
  type StoredOAuthClientInformation,
  type StoredOAuthTokens,
  type VersionNegotiationMode,
} from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { scene } from '../auth/login-scene.ts';
import { visit } from '../auth/provider.ts';

const redirectUrl = 'http://127.0.0.1:9/callback';

/** An application of the SDK's kind, and where its user came back to. */
class Application implements OAuthClientProvider {
  readonly redirectUrl = redirectUrl;
  readonly clientMetadata = {
    client_name: 'sdk2',
    application_type: 'native',
    redirect_uris: [redirectUrl],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
  };
  back: URL | undefined;
  private known: StoredOAuthClientInformation | undefined;
  private kept: StoredOAuthTokens | undefined;
  private verifier = '';
  private discovered: OAuthDiscoveryState | undefined;

  clientInformation() {
    return this.known;
  }
  saveClientInformation(known: StoredOAuthClientInformation) {
    this.known = known;
  }
  tokens() {
    return this.kept;
  }
  saveTokens(tokens: StoredOAuthTokens) {
    this.kept = tokens;
  }
  async redirectToAuthorization(page: URL) {
    this.back = await visit(page, { name: 'Grace' });
  }
  saveCodeVerifier(verifier: string) {
    this.verifier = verifier;
  }
  codeVerifier() {
    return this.verifier;
  }
  saveDiscoveryState(discovered: OAuthDiscoveryState) {
    this.discovered = discovered;
  }
  discoveryState() {
    return this.discovered;
  }
}

const eras: readonly { readonly era: string; readonly mode: VersionNegotiationMode }[] = [
  { era: 'modern', mode: { pin: '2026-07-28' } },
  { era: 'legacy', mode: 'legacy' },
  { era: 'either', mode: 'auto' },
];

describe.each(eras)('the client of SDK 2 ($era)', ({ mode }) => {
  const made = (url: string, authProvider: Application) => ({
    client: new Client({ name: 'sdk2', version: '1.0.0' }, { versionNegotiation: { mode } }),
    transport: new StreamableHTTPClientTransport(new URL(url), { authProvider }),
  });

  /** Does it, again after a login where it takes one: the SDK leaves that to its user. */
  const loggingIn = async <T>(
    application: Application,
    transport: StreamableHTTPClientTransport,
    work: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof UnauthorizedError) || application.back === undefined) throw error;
      await transport.finishAuth(application.back.searchParams);
      application.back = undefined;
      return work();
    }
  };

  const connected = async (url: string, application: Application) => {
    const first = made(url, application);
    await first.client.connect(first.transport).catch((error: unknown) => {
      if (!(error instanceof UnauthorizedError) || application.back === undefined) throw error;
    });
    await first.transport.finishAuth(application.back?.searchParams ?? new URLSearchParams());
    await first.client.close();
    const { client, transport } = made(url, application);
    await client.connect(transport);
    return { client, transport };
  };

  it('logs in, and is known by name (AUTHS-02)', async () => {
    await using place = await scene();
    const application = new Application();
    const { client } = await connected(place.url, application);
    const answer = await client.callTool({ name: 'echo', arguments: { message: 'hello' } });
    expect(answer.content).toEqual([{ type: 'text', text: 'hello' }]);
    expect(new Set(place.seen.map(({ principal }) => principal))).toEqual(new Set(['Grace']));
    expect(place.provider.seen).toMatchObject({ registrations: 1, tokenRequests: { authorization_code: 1 } });
    await client.close();
  });

  it('goes on after its token was withdrawn, by its refresh token', async () => {
    await using place = await scene({ format: 'opaque' });
    const { client } = await connected(place.url, new Application());
    // Its stream is open by now: of two requests that are refused at the same time, this client refreshes with both.
    await client.callTool({ name: 'echo', arguments: { message: 'before' } });
    place.provider.withdraw('access');
    const answer = await client.callTool({ name: 'echo', arguments: { message: 'on' } });
    expect(answer.content).toEqual([{ type: 'text', text: 'on' }]);
    expect(place.provider.seen).toMatchObject({ refreshes: 1, failures: [] });
    await client.close();
  });

  it('steps up for a tool that takes more (AUTHS-07)', async () => {
    await using place = await scene();
    const application = new Application();
    const { client, transport } = await connected(place.url, application);
    const answer = await loggingIn(application, transport, () => client.callTool({ name: 'test_simple_text' }));
    expect(answer.content).toMatchObject([{ type: 'text' }]);
    expect(place.provider.seen.authorizations.at(-1)?.split(' ')).toContain('files:read');
    await client.close();
  });
});
