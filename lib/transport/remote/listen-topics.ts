/** What somebody listens to, as a set: whether one filter is a part of another is asked of every listener. */
import type { Notification } from '../../exchange/exchange.ts';
import { isArray, isObject, type JsonObject } from '../../frame/frame.ts';
import { methods } from '../../protocol/methods.ts';
import { covers, type SubscriptionFilter } from '../../protocol/subscription.ts';
import type { MethodTable } from '../../protocol/table.ts';

/** Lists by the names of their flags, resources by their URIs behind a mark. */
export type Topics = ReadonlySet<string>;

const flags: ReadonlySet<string> = new Set<keyof SubscriptionFilter>([
  'toolsListChanged',
  'promptsListChanged',
  'resourcesListChanged',
]);
const watched: keyof SubscriptionFilter = 'resourceSubscriptions';
const mark = '@';
const table: MethodTable = methods;

/** The topics of a filter; members that nobody has defined are left out. */
export const topicsOf = (filter: unknown): Topics => {
  const topics = new Set<string>();
  if (!isObject(filter)) return topics;
  for (const [member, wanted] of Object.entries(filter))
    if (flags.has(member) && wanted === true) topics.add(member);
    else if (member === watched && isArray(wanted)) for (const uri of wanted) topics.add(`${mark}${String(uri)}`);
  return topics;
};

/** The topics of a subscription that says nothing else, neither of what is wanted nor of who wants it. */
export const plainTopics = ({ notifications, _meta, ...rest }: JsonObject): Topics | undefined => {
  const plain =
    Object.keys(rest).length === 0 &&
    (_meta === undefined || (isObject(_meta) && Object.keys(_meta).length === 0)) &&
    isObject(notifications) &&
    Object.entries(notifications).every(([member, wanted]) =>
      member === watched
        ? isArray(wanted) && wanted.every((uri) => typeof uri === 'string')
        : flags.has(member) && typeof wanted === 'boolean',
    );
  return plain ? topicsOf(notifications) : undefined;
};

export const filterOf = (topics: Topics): JsonObject => {
  const filter: Record<string, unknown> = {};
  const uris: string[] = [];
  for (const topic of topics)
    if (isResource(topic)) uris.push(topic.slice(mark.length));
    else filter[topic] = true;
  if (uris.length > 0) filter[watched] = uris;
  return filter;
};

export const isResource = (topic: string): boolean => topic.startsWith(mark);

/** What both have, in the order of the first. */
export const common = (one: Topics, other: Topics): Topics => new Set([...one].filter((topic) => other.has(topic)));

export const within = (one: Topics, other: Topics): boolean => [...one].every((topic) => other.has(topic));

/**
 * Tells whom a notification on a shared stream is for, by what they listen to.
 *
 * @param asked - what the stream as a whole was asked for
 */
export const concerns = ({ method, params }: Notification, asked: Topics): ((wanted: Topics) => boolean) => {
  const notice = table[method]?.notice;
  if (notice === undefined) return () => true;
  if (notice !== watched) return (wanted) => wanted.has(notice);
  const about = (topic: string): boolean => isResource(topic) && covers(topic.slice(mark.length), params?.['uri']);
  // A server may spell a URI in its own way; who is meant is then not known.
  return [...asked].some(about) ? (wanted) => [...wanted].some(about) : (wanted) => [...wanted].some(isResource);
};
