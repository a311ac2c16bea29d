/** What is merged. */
import { prompt, resource, resourceTemplate, server, serverWith, tool } from 'rxmcp';

/** What the whole calls itself. */
export const info = { name: 'house', version: '2' };

/** How the whole signs its results. */
export const signature = { 'io.modelcontextprotocol/serverInfo': info };

/** Has some of everything, its tools on two pages. */
export const files = serverWith(
  { pageSize: 2 },
  { name: 'files', version: '1', instructions: 'Look first.' },
  tool('search', {}, (_, call) => `found by ${String(call.meta['example.com/who'])}`),
  tool('stats', {}, () => 'counted'),
  tool('sum.up', {}, () => 'summed up'),
  prompt('review', { arguments: { code: { complete: (typed) => [`${typed}!`] } } }, ({ code }) => `files: ${code}`),
  resource('file:///log', { name: 'log' }, () => 'files'),
  resourceTemplate('file:///{+path}', { complete: { path: (typed) => [`${typed}.txt`] } }, ({ path }) =>
    path === 'missing' ? undefined : `files: ${String(path)}`,
  ),
);

/** Shares names and a URI with the files. */
export const clock = server(
  { name: 'clock', version: '1', instructions: 'Time flies.' },
  tool('now', {}, () => 'noon'),
  tool('search', {}, () => 'a moment'),
  prompt('review', { arguments: { code: '' } }, ({ code }) => `clock: ${code}`),
  resource('clock:///time', { name: 'time' }, () => 'noon'),
  resource('file:///log', { name: 'log' }, () => 'clock'),
);

/** Has neither prompts nor resources. */
export const bare = server(
  { name: 'bare', version: '1' },
  tool('nothing', {}, () => 'nothing'),
);
