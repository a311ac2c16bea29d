/**
 * The main job: a folder served over MCP by another process, and driven from here.
 *
 *     npm start
 */
import { check, story } from '../story/check.ts';
import { paint } from '../story/paint.ts';
import { chapter, good, say } from '../story/tell.ts';
import { change } from './tour/change.ts';
import { look } from './tour/look.ts';
import { project, reach } from './tour/reach.ts';
import { scratchFolder } from './tour/scratch.ts';
import { searchAll, searchPart } from './tour/search.ts';
import { table } from './tour/table.ts';

await story(async () => {
  console.log(`${paint.strong('rxmcp')}  a folder, served over the Model Context Protocol as streams`);
  const scratch = scratchFolder();

  chapter('Connect');
  const start = performance.now();
  const [here, there] = await Promise.all([reach(project), reach(scratch.folder)]);
  // Whatever happens between here and the last chapter, nothing is left behind.
  await using _here = here;
  await using _there = there;
  const { client } = here;
  const startMs = performance.now() - start;
  say('Two servers, each in a process of its own: one for this project, one for an empty temporary folder.');
  good(`connected over stdio in ${startMs.toFixed(0)} ms, speaking ${client.revision}`);

  chapter('Look around');
  const { tools, resources } = await look(client);

  chapter('Search, and watch it work');
  const whole = await searchAll(client);

  chapter('Search, and change your mind');
  const read = await searchPart(client, whole);

  chapter('Change something on disk');
  const { listMs, tailMs } = await change(there.client, scratch.folder);

  chapter('Leave');
  const exits = await Promise.all([here.leave(), there.leave()]);
  check(
    exits.every((exit) => exit?.code === 0),
    'both servers should exit with code 0',
    exits,
  );
  scratch.remove();
  good('both servers have exited with code 0; no process and no file is left');

  console.log();
  table([
    ['offered', `${tools} tools, ${resources} resources`],
    ['connecting', `${startMs.toFixed(0)} ms, two processes started`],
    ['whole search', `${whole.files} files, ${whole.matches} matches, ${whole.ms.toFixed(0)} ms`],
    ['cancelled search', `${read} files read, then none`],
    ['change on disk', `listed after ${listMs.toFixed(0)} ms, read after ${tailMs.toFixed(0)} ms`],
    ['in all', `${(performance.now() / 1000).toFixed(1)} s`],
  ]);
});
