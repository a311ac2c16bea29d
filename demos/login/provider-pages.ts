/** What a person sees of an authorization server: who are you, and may this application do that. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Interaction, Provider } from 'oidc-provider';

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`);

const page = (title: string, form: string): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body style="font: 1.1em system-ui; max-width: 26em; margin: 4em auto">
<h1>${title}</h1>
<form method="post">${form}</form>
</body>
</html>`;

const loginPage = page(
  'Log in',
  '<p><label>Your name <input name="name" required autofocus></label></p><button>Log in</button>',
);

const asStrings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** What is wanted that this person has not been asked for before. */
const missing = ({ prompt: { details } }: Interaction) => ({
  open: asStrings(details['missingOIDCScope']),
  resources: Object.entries(details['missingResourceScopes'] ?? {}).map(
    ([resource, scopes]) => [resource, asStrings(scopes)] as const,
  ),
});

const consentPage = (interaction: Interaction, client: string): string => {
  const { params, session } = interaction;
  const wanted = String(params['scope'] ?? '')
    .split(' ')
    .filter(Boolean);
  return page(
    'May it?',
    `<p>${escaped(session?.accountId ?? '')}, may <b id="client">${escaped(client)}</b> use
    <b id="resource">${escaped(String(params['resource'] ?? ''))}</b> for you, and do this there?</p>
    <ul>${wanted.map((scope) => `<li>${escaped(scope)}</li>`).join('')}</ul>
    <button name="answer" value="allow">Allow</button> <button name="answer" value="refuse">Refuse</button>`,
  );
};

const bodyOf = async (request: IncomingMessage): Promise<URLSearchParams> => {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > 10_000) throw new Error('a form this long is none of ours');
  }
  return new URLSearchParams(text);
};

/** Keeps what a person allows, with what they have allowed this application before. */
const allowed = async (provider: Provider, interaction: Interaction): Promise<string> => {
  const { session, params, grantId } = interaction;
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant = known ?? new provider.Grant({ accountId: session?.accountId, clientId: String(params['client_id']) });
  const { open, resources } = missing(interaction);
  grant.addOIDCScope([...open]);
  for (const [resource, scopes] of resources) grant.addResourceScope(resource, [...scopes]);
  return grant.save();
};

/** Asks a person what the authorization server wants to know of them, and goes on with what they said. */
export const interact = async (
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> => {
  const interaction = await provider.interactionDetails(request, response);
  const asking = interaction.prompt.name === 'login';
  if (request.method !== 'POST') {
    const client = await provider.Client.find(String(interaction.params['client_id']));
    const text = asking ? loginPage : consentPage(interaction, client?.clientName ?? client?.clientId ?? '');
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(text);
    return;
  }
  const said = await bodyOf(request);
  if (asking) {
    const login = { accountId: said.get('name') ?? '' };
    await provider.interactionFinished(request, response, { login }, { mergeWithLastSubmission: false });
  } else if (said.get('answer') === 'allow') {
    const consent = { grantId: await allowed(provider, interaction) };
    await provider.interactionFinished(request, response, { consent });
  } else {
    const refused = { error: 'access_denied', error_description: 'They refused.' };
    await provider.interactionFinished(request, response, refused, { mergeWithLastSubmission: false });
  }
};
