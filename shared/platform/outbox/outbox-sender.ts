// Sends the outbox inside a long-running process: the local server.

import { directory } from '#db/engine/tenant'
import { nextDueAt } from '#db/store/outbox'
import { type Waker, waker } from '#shared/platform/jobs/waker'
import { type OutboxContext, sendDueMail } from './outbox.ts'

export type OutboxSender = Waker

/** Pause after a database failure. */
const PAUSE_MS = 30_000

export const outboxSender = (ctx: OutboxContext): OutboxSender =>
  waker(async () => {
    try {
      await sendDueMail(ctx)
      const next = await nextDueAt(directory(ctx.db))
      return next === undefined ? undefined : next.getTime() - ctx.clock.now().getTime()
    } catch (error) {
      ctx.log.error('mail.sender_failed', error)
      return PAUSE_MS
    }
  })
