// Context of the routes that exist only in local mode: captured mail, the API reference and the page that links to them.
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'
import type { CapturedMail } from '#shared/platform/outbox/mail/local'
import type { CapturedPush } from '#shared/platform/outbox/push/local'
import type { CapturedSms } from '#shared/platform/outbox/sms/local'

export type Ctx = RequestCtx & {
  /** Captured mails, oldest first; undefined where real mail is sent. */
  /** Captured text messages, oldest first; undefined where real ones are sent. */
  readonly capturedSms: (() => readonly CapturedSms[]) | undefined
  readonly captured: (() => Promise<readonly CapturedMail[]>) | undefined
  /** Captured push messages, oldest first; undefined where real ones are sent. */
  readonly capturedPushes: (() => Promise<readonly CapturedPush[]>) | undefined
}
export const route = routeFor<Ctx>()
