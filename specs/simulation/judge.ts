/** What must hold of every conversation, whatever happened in it. Each fault is one sentence. */
import { isObject } from '../../lib/frame/frame.ts';
import { isModern } from '../../lib/protocol/revisions.ts';
import { ownBreaches, unanswered } from '../../lib/testing/index.ts';
import type { Outcome } from './handler.ts';
import { fateOf, mayStall, type Asked, type Manner } from './script.ts';
import type { Called, Course, Watched } from './turn.ts';
import type { Road } from './world.ts';

const textOf = (result: unknown): string => {
  const content: unknown = isObject(result) ? result['content'] : undefined;
  const first: unknown = Array.isArray(content) ? content[0] : undefined;
  return isObject(first) ? String(first['text']) : '';
};

/** What becomes of a form or a page; a user interface that fails counts as cancelled, where it does not fail the call. */
const actions: Readonly<Record<Manner, string>> = {
  accept: 'accept',
  slow: 'accept',
  decline: 'decline',
  refuse: 'decline',
  cancel: 'cancel',
  fail: 'cancel',
  never: 'none',
};

/** Whether an answer is the one to this question under this key. */
const fits = (answer: unknown, { kind, manner }: Asked, key: string, proxied: boolean): boolean => {
  if (kind === 'roots') return Array.isArray(answer) && answer.length === 1;
  if (!isObject(answer)) return false;
  const content = isObject(answer['content']) ? answer['content'] : {};
  if (kind === 'sample') return content['text'] === `${key} ${manner}`;
  // A proxy's caller may speak a revision without it, or have gone.
  if (proxied && answer['action'] === 'cancel') return true;
  const accepted = kind === 'form' && actions[manner] === 'accept';
  return answer['action'] === actions[manner] && content['said'] === (accepted ? `${key} ${manner}` : undefined);
};

/** Whether a result is this call's own, with the answers to its own questions in it. */
const resultFaults = ({ id, script, ends }: Called, proxied: boolean): readonly string[] => {
  const [end] = ends;
  if (end?.how !== 'result' || !isObject(end.value) || end.value['isError'] === true) return [];
  const { id: other, answers: given, steps } = JSON.parse(textOf(end.value)) as Outcome;
  if (other !== id) return [`${id} got the answer of ${other}`];
  return script.steps.flatMap((one, at) => {
    const key = `${id}-${at}`;
    if (one.do === 'step' && !String(steps[key]).startsWith(`${key} gave `))
      return [`${id}: the step ${key} gave ${String(steps[key])}`];
    if (one.do !== 'ask') return [];
    return one.questions.flatMap((question, index) => {
      const answer = given[`${key}-${index}`];
      return fits(answer, question, `${key}-${index}`, proxied)
        ? []
        : [`${id}: the question ${key}-${index} was answered with ${JSON.stringify(answer)}`];
    });
  });
};

/** Whether it ended as often as it may, and as nobody has disturbed it. */
const endFaults = (course: Course, called: Called): readonly string[] => {
  const { id, script, ends, cancelled, signalled, events } = called;
  const { setting } = course.world;
  const how = ends.map((end) => end.how).join(', ') || 'not at all';
  const faults = ends.length > 1 ? [`${id} ended more than once: ${how}`] : [];
  const after = events.findIndex(({ kind }) => kind === 'result');
  if (after >= 0 && after < events.length - 1) faults.push(`${id} went on after its result`);
  const progress = events.flatMap((event) => (event.kind === 'progress' ? [event.progress] : []));
  if (progress.some((done, at) => at > 0 && done <= (progress[at - 1] ?? 0)))
    faults.push(`${id}: its progress did not rise: ${progress.join()}`);
  if (cancelled) {
    // A Promise ends either way, and may have had its result before.
    if (signalled ? ends.length !== 1 : ends.length > 0) faults.push(`${id} was cancelled and ended: ${how}`);
    return faults;
  }
  const stalls = course.calls.some((one) => one.cancelled || mayStall(one.script));
  if (course.gone.size > 0) {
    if (ends.length === 0 && !stalls) faults.push(`${id} outlived its connection`);
    return faults;
  }
  const loose = course.repeated.size > 0 || setting.behind !== undefined;
  if (loose) {
    if (ends.length === 0 && !stalls) faults.push(`${id} hangs`);
    return faults;
  }
  const fate = fateOf(script, setting.revision);
  const [end] = ends;
  const failed = isObject(end?.value) && end.value['isError'] === true;
  const was = end === undefined ? 'never' : end.how === 'result' && failed ? 'failed' : end.how;
  if (was !== fate)
    faults.push(
      `${id} should have ended with ${fate}, and did with ${was}: ${String(end?.how === 'error' ? end.value : JSON.stringify(end?.value))}`,
    );
  return faults;
};

const twice = (list: readonly string[]): readonly string[] => list.filter((one, at) => list.indexOf(one) !== at);

const stillOpen = ({ calls }: Course): number =>
  calls.filter(({ ends, cancelled }) => ends.length === 0 && !cancelled).length;

const watchers = ({ watched }: Course, ...kinds: readonly Watched['what'][]): boolean =>
  watched.some(({ what, ended }) => kinds.includes(what) && !ended);

/** What works for nobody any more, whenever nothing is on its way. */
export const lingering = (course: Course): readonly string[] => {
  const { ledger, setting } = course.world;
  if (course.gone.size > 0 || course.repeated.size > 0 || course.held.size > 0) return [];
  // A proxy may hope for a while that somebody comes back with answers.
  const proxied = setting.behind !== undefined;
  if (proxied && course.calls.some(({ script }) => script.steps.some((one) => one.do === 'ask'))) return [];
  const open = stillOpen(course);
  return ['handler', 'tools/call', 'answer']
    .filter((name) => (ledger.live[name] ?? 0) > (proxied && name === 'tools/call' ? 2 * open : open))
    .concat(open === 0 && ledger.live['step'] !== undefined ? ['step'] : [])
    .concat(
      watchers(course, 'resource$') ? [] : ['counter$'],
      watchers(course, 'resource$', 'listen') ? [] : ['touched$'],
    )
    .filter((name) => ledger.live[name] !== undefined)
    .map((name) => `${ledger.live[name]} of ${name} alive for ${open} calls`);
};

/** While all connections stand, and nothing waits any more. */
export const livingFaults = (course: Course): readonly string[] => {
  const { world, calls, watched, gone, repeated } = course;
  const { setting, stage, asked, roads } = world;
  const faults = calls.flatMap((called) => [
    ...endFaults(course, called),
    ...resultFaults(called, setting.behind !== undefined),
  ]);
  const steady = gone.size === 0 && repeated.size === 0;
  if (repeated.size === 0) {
    faults.push(...twice(asked).map((question) => `asked twice: ${question}`));
    for (const { id, script } of calls)
      for (const [at, one] of script.steps.entries()) {
        const times = stage.ran.filter((entry) => entry === `${id} ${id}-${at}`).length;
        if (one.do === 'step' && times > 1) faults.push(`${id}: a step ran ${times} times`);
      }
  }
  if (gone.size > 0) return faults;
  faults.push(...course.failures);
  if (course.lists > 0) faults.push('a list was never answered');
  for (const { what, last, ended, stopped, failure } of watched) {
    if (failure !== undefined) faults.push(`${what} failed: ${String(failure)}`);
    if (ended && !stopped) faults.push(`${what} ended before its connection`);
    if (ended) continue;
    if (what === 'tools$') {
      const names = Array.isArray(last) ? last.map((one: unknown) => (isObject(one) ? one['name'] : one)) : [];
      if (names.join() !== ['play', ...stage.names$.value].join()) faults.push(`tools$ shows ${names.join()}`);
    }
    if (what === 'resource$') {
      const contents = isObject(last) && Array.isArray(last['contents']) ? (last['contents'] as unknown[]) : [];
      const [first] = contents;
      const text = isObject(first) ? first['text'] : undefined;
      if (text !== String(stage.counter$.value))
        faults.push(`resource$ shows ${String(text)}, not ${stage.counter$.value}`);
    }
  }
  faults.push(...lingering(course));
  if (!steady || setting.behind !== undefined) return faults;
  const lines = roads.flatMap(({ near }) => near).flatMap(({ overheard }) => overheard);
  if (isModern(setting.revision) && !calls.some(({ logs }) => logs))
    if (lines.some(({ message }) => message['method'] === 'notifications/message'))
      faults.push('logs for nobody (LOG-06)');
  const open = stillOpen(course);
  const calling = roads
    .flatMap(({ ends }) => ends)
    .flatMap((end) => unanswered(end.overheard))
    .filter((one) => one.startsWith('tools/call'));
  if (calling.length > open) faults.push(`never answered: ${calling.join()}, of which ${open} are still waited for`);
  return faults;
};

/**
 * On the wire, both ends of each way.
 *
 * @param proxied - whether a proxy stands in it, whose state may be the same in every round
 */
export const wireFaults = ({ near, ends }: Road, proxied: boolean): readonly string[] => {
  const sent = near
    .flatMap(({ overheard }) => overheard)
    .flatMap(({ way, message }) => {
      const params = message['params'];
      const state = way === 'out' && isObject(params) ? params['requestState'] : undefined;
      return typeof state === 'string' ? [state] : [];
    });
  return [
    ...near.flatMap((end) => ownBreaches(end.overheard)).map((breach) => `the client: ${breach}`),
    ...ends.flatMap((end) => ownBreaches(end.overheard)).map((breach) => `the server: ${breach}`),
    ...(proxied ? [] : twice(sent)).map((state) => `answered twice: the state ${state.slice(0, 20)}…`),
  ];
};

/** Once everybody has gone. */
export const remainingFaults = (course: Course): readonly string[] => [
  ...course.calls.flatMap(({ id, ends, cancelled }) => (ends.length === 0 && !cancelled ? [`${id} never ended`] : [])),
  ...(course.lists > 0 ? ['a list never ended'] : []),
  ...course.watched.flatMap(({ what, ended }) => (ended ? [] : [`${what} never ended`])),
];
