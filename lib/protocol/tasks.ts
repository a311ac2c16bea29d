/**
 * Tasks, as the core of 2025-11-25 had them for trial: calls that outlive their request.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
import { object, optional } from './object.ts';
import type { JsonObject } from './json.ts';
import { Integer } from './json.ts';
import { legacyResultFields, notificationFields, type NotificationParams } from './meta.ts';
import { Schema } from './schema.ts';

export type TaskStatus = 'working' | 'input_required' | 'completed' | 'failed' | 'cancelled';
export const TaskStatus: Schema.Schema<TaskStatus> = Schema.Literal(
  'working',
  'input_required',
  'completed',
  'failed',
  'cancelled',
);

/** A call that goes on by itself; an alias, because results and params are made of it. */
export type Task = {
  readonly taskId: string;
  readonly status: TaskStatus;
  readonly statusMessage?: string;
  /** ISO 8601 times. */
  readonly createdAt: string;
  readonly lastUpdatedAt: string;
  /** For how many milliseconds it is kept; null is for ever. */
  readonly ttl: number | null;
  /** After how many milliseconds it is worth asking again. */
  readonly pollInterval?: number;
};

const fields = {
  taskId: Schema.String,
  status: TaskStatus,
  statusMessage: optional(Schema.String),
  createdAt: Schema.String,
  lastUpdatedAt: Schema.String,
  ttl: Schema.NullOr(Integer),
  pollInterval: optional(Integer),
} as const;

export const Task = object<Task>(fields);

/** Asks that a call be made a task, and kept for so many milliseconds. */
export interface TaskMetadata {
  readonly ttl?: number;
}

export const TaskMetadata = object<TaskMetadata>({ ttl: optional(Integer) });

/** The `task` of a request that may become one. */
export const task = optional(TaskMetadata, { since: '2025-11-25', until: '2025-11-25' });

/** Which task is meant. */
export type TaskParams = { readonly taskId: string };
export const TaskParams = object<TaskParams>({ taskId: Schema.String });

type Answered = { readonly _meta?: JsonObject };

/** What `tasks/get` and `tasks/cancel` answer. */
export type TaskResult = Answered & Task;
export const TaskResult = object<TaskResult>({ ...legacyResultFields, ...fields });

/** What a request that became a task answers at once. */
export type CreateTaskResult = Answered & { readonly task: Task };
export const CreateTaskResult = object<CreateTaskResult>({ ...legacyResultFields, task: Task });

/** What the request would have answered, had it not become a task. */
export type TaskPayloadResult = Answered;
export const TaskPayloadResult = object<TaskPayloadResult>(legacyResultFields);

export type ListTasksResult = Answered & { readonly tasks: readonly Task[]; readonly nextCursor?: string };
export const ListTasksResult = object<ListTasksResult>({
  ...legacyResultFields,
  tasks: Schema.Array(Task),
  nextCursor: optional(Schema.String),
});

export type TaskStatusParams = NotificationParams & Task;
export const TaskStatusParams = object<TaskStatusParams>({ ...notificationFields, ...fields });
