/**
 * Logs somebody in: to a server of diaries, by way of a real authorization server, both in this process. Ada logs in by
 * herself; `--browser` waits for you.
 *
 *     npm run demo login [-- --browser]
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { open, type ClientOf } from 'rxmcp';
import { LoginFailed, oauth, type LoginStep } from 'rxmcp/auth';
import { loopback, remote } from 'rxmcp/node';
import { check, story } from '../story/check.ts';
import { paint } from '../story/paint.ts';
import { chapter, good, say } from '../story/tell.ts';
import { diaryDoor, may, type Diaries } from './diary.ts';
import { ada, somebody } from './person.ts';
import { picture } from './picture.ts';
import { authorizationServer } from './provider.ts';
import { wordsFor } from './steps.ts';

/** For how long a token is good; too short for anything but a demo. */
const tokenSeconds = 4;

const read = async (client: ClientOf<Diaries>) => {
  const { structuredContent: page } = await client.callTool('read');
  check(page !== undefined, 'the diary should be read');
  return page;
};

await story(async () => {
  const { values } = parseArgs({ options: { browser: { type: 'boolean', default: false } } });
  const person = values.browser ? somebody() : ada();
  await using provider = await authorizationServer({
    scopes: Object.values(may),
    accessTokenSeconds: tokenSeconds,
  });
  using door = await diaryDoor(provider.issuer);

  chapter('Who talks to whom');
  for (const line of picture(provider.issuer, door.url)) say(line);

  const steps: LoginStep[] = [];
  const auth = oauth({ callback: loopback({ onUrl: person.show }), client: { name: 'The login demo' } });
  auth.login$.subscribe((step) => {
    steps.push(step);
    say(`${paint.name(step.kind.padEnd(10))} ${wordsFor(step)}`);
  });
  const lastToken = () => steps.filter((step) => step.kind === 'token').at(-1);

  chapter('Connect, and be asked who one is');
  await using client = await open<Diaries>(remote(door.url, { auth }));
  const { owner } = await read(client);
  check(values.browser || owner === 'Ada', 'the server should know that it is Ada', owner);
  good(`the server knows whose diary to open: that of ${owner}`);
  const kinds = steps.slice(0, 6).map(({ kind }) => kind);
  const order = ['asked', 'discovered', 'registered', 'visit', 'code', 'token'];
  check(kinds.join() === order.join(), 'the steps should come in their order', kinds);

  chapter('Let the token expire');
  const { refreshes } = provider.seen;
  const { expiresAt = 0 } = lastToken() ?? {};
  say('We wait until it does; then there are ten calls at once.');
  await sleep(Math.max(0, expiresAt - Date.now()));
  const pages = await Promise.all(Array.from({ length: 10 }, () => read(client)));
  check(
    pages.every((page) => page.owner === owner),
    'all calls should be answered',
    pages,
  );
  const renewed = provider.seen.refreshes - refreshes;
  check(renewed === 1, 'the token should be renewed once', renewed);
  good('ten calls are answered, and the authorization server was asked once');

  chapter('Do what takes more');
  await client.callTool('write', { line: 'Logged in today.' });
  check(lastToken()?.scopes.includes(may.write) === true, `there should be a token for ${may.write}`, lastToken());
  const { lines } = await read(client);
  check(lines.join() === 'Logged in today.', 'the line should be in the diary', lines);
  good(`the same call went on, once ${may.write} was allowed: the diary says "${lines.join()}"`);

  chapter('Log out');
  await auth.logout(door.url);
  say('The token is forgotten here, and withdrawn there. Whoever calls now is asked again.');
  person.sulk();
  const why = await read(client).catch((error: unknown) => error);
  check(why instanceof Error && why.cause instanceof LoginFailed, 'a call should fail where the login does', why);
  check(why.cause.code === 'access_denied', 'it should fail because they refused', why.cause);
  good(`a call fails, in the stage "${why.cause.stage}": ${why.cause.message}`);
});
