// What requests leave behind: mail to send, webhooks to deliver. In a process that lives on they are done at once (shared/platform/jobs/waker.ts); a function hands them to
// a queue before it is frozen, and another function does them. A lost errand delays and never loses: the jobs are the net under both.
import * as z from 'zod'

/** `outbox`: mail waits. `webhooks`: a tenant with webhooks has committed something. */
export const TASKS = ['outbox', 'webhooks'] as const
export type Task = (typeof TASKS)[number]

/** The body of a message. */
export const TaskMessage = z.strictObject({ errand: z.enum(TASKS) })

export type TaskQueue = {
  /** Puts one errand in the queue, to be done after so many seconds (at most 900). */
  send(task: Task, afterSeconds: number): Promise<void>
}
