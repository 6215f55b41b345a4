// Group: what exists in local mode alone: captured mail, the API page, a front page.
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'
import type { CapturedMail } from '#shared/mail/local'
import type { CapturedPush } from '#shared/push/local'
import type { CapturedSms } from '#shared/sms/local'

export type Ctx = RequestCtx & {
  /** Captured mails, oldest first; undefined where real mail is sent. */
  /** Captured text messages, oldest first; undefined where real ones are sent. */
  readonly capturedSms: (() => readonly CapturedSms[]) | undefined
  readonly captured: (() => Promise<readonly CapturedMail[]>) | undefined
  /** Captured push messages, oldest first; undefined where real ones are sent. */
  readonly capturedPushes: (() => Promise<readonly CapturedPush[]>) | undefined
}
export const route = routeFor<Ctx>()
