/** The page: who is connected, what there is to call, the calls, and what is said meanwhile. */
import { distinctUntilChanged, EMPTY, fromEvent, map, merge, shareReplay, startWith, switchMap, tap } from 'rxjs';
import { explain, type Client, type Tool } from 'rxmcp';
import { callListIn, lineOf } from './call-list.ts';
import { standing, type Standing, type Transport } from './connection.ts';
import { find } from './element.ts';
import { showForm, showNoForm } from './form.ts';
import { logIn } from './log.ts';
import { toolListIn } from './tool-list.ts';

const cameraUri = 'observatory:///camera';

const state = find('state', HTMLElement);
const form = find('form', HTMLFormElement);
const camera = find('camera', HTMLElement);
const log = logIn(find('log', HTMLElement));

/** Whose tools are shown. */
let client: Client | undefined;

const call = callListIn(find('calls', HTMLElement), log, () => form.querySelector('button')?.focus());

const choose = (tool: Tool | undefined): void => {
  if (tool === undefined) return showNoForm(form);
  showForm(form, tool, (args) => {
    if (client !== undefined) call(tool.name, args, client.call(tool.name, args, { logLevel: 'info' }));
  });
};
const showTools = toolListIn(find('tools', HTMLElement), choose);

const words: Readonly<Record<Standing['state'], string>> = {
  connecting: 'Connecting…',
  connected: 'Connected',
  reconnecting: 'Reconnecting…',
  closed: 'Closed',
};

const showState = ({ state: now, client }: Standing): void => {
  state.dataset['state'] = now;
  const { server, revision = '' } = client ?? {};
  state.textContent = now === 'connected' ? `${words[now]} · ${revision}` : words[now];
  log('page', now === 'connected' ? `Connected to ${server?.name ?? 'a server'}, at ${revision}.` : words[now]);
};

const transports = document.querySelectorAll<HTMLInputElement>('input[name=transport]');
const transport$ = merge(...[...transports].map((radio) => fromEvent(radio, 'change'))).pipe(
  startWith(undefined),
  map((): Transport => ([...transports].find(({ checked }) => checked)?.value === 'webSocket' ? 'webSocket' : 'http')),
);

const standing$ = transport$.pipe(
  switchMap((transport) => standing(transport, (error) => log('bad', explain(error)))),
  tap(showState),
  map((now) => now.client),
  distinctUntilChanged(),
  shareReplay({ bufferSize: 1, refCount: true }),
);

standing$
  .pipe(
    tap((now) => (client = now)),
    switchMap((now) =>
      now === undefined
        ? EMPTY
        : merge(
            now.tools$.pipe(tap(showTools)),
            now.logs$.pipe(tap(({ data }) => log('server', lineOf(data)))),
            now.resource$(cameraUri).pipe(
              tap(({ contents: [content] }) => {
                camera.textContent = content !== undefined && 'text' in content ? content.text : 'Nothing to see.';
              }),
            ),
          ),
    ),
  )
  .subscribe({ error: (error: unknown) => log('bad', explain(error)) });
