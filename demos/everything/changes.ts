/** Lists that change when a tool is called: each time something comes, or goes again. */
import { BehaviorSubject, map, type Observable } from 'rxjs';
import { prompt, prompts, tool, tools } from 'rxmcp';

interface Changing<T> {
  readonly list$: Observable<readonly T[]>;
  readonly change: () => void;
}

/** A list of one thing, which is there or not; not at first. */
const changing = <T>(thing: T): Changing<T> => {
  const there$ = new BehaviorSubject(false);
  return {
    list$: there$.pipe(map((there) => (there ? [thing] : []))),
    change: () => there$.next(!there$.value),
  };
};

export const changes = () => {
  const guest = changing(tool('test_dynamic_tool', { description: 'Comes and goes.' }, () => 'I am here.'));
  const motto = changing(prompt('test_dynamic_prompt', { description: 'Comes and goes.' }, () => 'I am here.'));
  return [
    tools(guest.list$),
    prompts(motto.list$),
    tool('test_trigger_tool_change', { description: 'Changes the list of tools.' }, () => {
      guest.change();
      return 'The list of tools has changed.';
    }),
    tool('test_trigger_prompt_change', { description: 'Changes the list of prompts.' }, () => {
      motto.change();
      return 'The list of prompts has changed.';
    }),
  ] as const;
};
