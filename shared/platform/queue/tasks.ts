// The interface of the task queue. Requests cause tasks: mail to send, webhooks to deliver. A long-running process runs them at once
// (shared/platform/jobs/waker.ts); a function sends them to a queue before it is frozen, and another function runs them. A lost task only delays the
// work, because scheduled jobs find it.
import * as z from 'zod'

/** `outbox`: mail is waiting. `webhooks`: a tenant with webhooks has committed a change. */
export const TASKS = ['outbox', 'webhooks'] as const
export type Task = (typeof TASKS)[number]

/** The body of a queue message. `errand` is the name on the wire, so that functions of different releases understand each other. */
export const TaskMessage = z.strictObject({ errand: z.enum(TASKS) })

export type TaskQueue = {
  /** Queues a task, to run after the given seconds (at most 900). */
  send(task: Task, afterSeconds: number): Promise<void>
}
