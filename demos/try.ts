import { open, type CallEvent } from 'rxmcp';
import { spawn } from 'rxmcp/node';
import { lastValueFrom, take, tap, firstValueFrom, filter } from 'rxjs';
import type { Files } from './files/files.ts';
let t = performance.now();
const lap = (s: string) => { console.log(s, (performance.now() - t).toFixed()); t = performance.now(); };
const target = spawn(process.execPath, ['--import', 'tsx', 'demos/files/server.ts', '.']);
target.stderr$.subscribe((l) => console.log('ERR', l));
const client = await open<Files>(target); lap('open ' + client.revision + JSON.stringify(client.capabilities));
const list = await firstValueFrom(client.resources$); lap('list ' + list.length);
console.log(await client.callTool('stats', {}));
for (const pattern of ['(.*e){12}', 'Observable', '(', '(.*a){300}', '[a-z].{60}[A-Z].{60}$']) {
  let n = 0;
  const r = await lastValueFrom(client.call('search', { pattern, maxMatches: 10000 }).pipe(tap(() => n++))).catch(e => e);
  const s = r.kind === 'result' ? r.result : r;
  lap(pattern + ' ' + n + ' ' + JSON.stringify(s).slice(0, 300));
  console.log(s.structuredContent && { ...s.structuredContent, matches: s.structuredContent.matches.length });
}
const p = await firstValueFrom(client.call('search', { pattern: '(.*e){12}', maxMatches: 10000 }).pipe(filter((e) => e.kind === 'progress' && e.progress / e.total! > 0.25)));
console.log(p, (await client.callTool('stats', {})).structuredContent);
await new Promise(r => setTimeout(r, 500));
console.log((await client.callTool('stats', {})).structuredContent);
for (const uri of ['file:///package.json', 'file:///..%2f..%2fetc/passwd', 'file:////etc/passwd', 'file:///.git/config', 'file:///a%00b', 'file:///nope', 'tail:///package.json', 'file:///lib', 'file:///package-lock.json'])
  console.log(uri, JSON.stringify(await client.readResource(uri).catch(e => e._tag + ' ' + e.code + ' ' + e.message)).slice(0, 200));
console.log(await client.complete({ type: 'ref/resource', uri: 'file:///{+path}' }, 'path', 'lib/cl'));
t = performance.now();
await client.close(); lap('close');
