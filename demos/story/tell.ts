/** How a demo talks: numbered chapters, and what happens in them. */
import { paint } from './paint.ts';

const indent = '   ';

let chapters = 0;

export const chapter = (title: string): void => {
  chapters += 1;
  console.log(`\n${paint.strong(`${chapters}. ${title}`)}`);
};

/** What happens, in human words. */
export const say = (line: string): void => console.log(indent + line);

/** The same for what was checked and is as it should be. */
export const good = (line: string): void => say(`${paint.good('✓')} ${line}`);
