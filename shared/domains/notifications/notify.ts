// Mails that rules send in the tenant's name, naming the origin of the request.

import type { TenantTx } from '#db/engine/tenant'
import type { MessageKind } from '#db/store/outbox'
import type { Tenant } from '#db/store/tenants'
import { findTenantAndLanguage, type User } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { deviceName } from '#shared/platform/outbox/mail/device-name'
import type { MailLanguage } from '#shared/platform/outbox/mail/language'
import type { MailData, MailTemplate, RequestOrigin } from '#shared/platform/outbox/mail/mail-data'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

type Notice<K extends MailTemplate> = {
  readonly to: string
  /** The person that the mail is about; without one the tenant's key seals it. */
  readonly subjectId?: string
  readonly template: K
  readonly data: Omit<MailData[K], 'requestOrigin'>
  /** Sends at that time, unless the kind is cancelled before. */
  readonly later?: { readonly at: Date; readonly kind: MessageKind }
}

type Deps = Pick<RequestCtx, 'clock' | 'random' | 'keyring' | 'config' | 'request'>

/** Where the request came from, for the reader of a mail. */
export const requestOrigin = (ctx: Pick<RequestCtx, 'clock' | 'request'>, language: MailLanguage): RequestOrigin => ({
  at: ctx.clock.now(),
  device: deviceName(ctx.request.userAgent, language),
  address: ctx.request.address,
})

/** The language of a mail. Loaded with the first mail, like the mail texts. */
export const notificationLanguage = async (
  ctx: Pick<RequestCtx, 'request'>,
  tenant: Pick<Tenant, 'settings'> | undefined,
  chosen: User['language'] = null,
) => (await import('./reader-language.ts')).readerLanguage(ctx, tenant, chosen)

/** Puts a mail in the outbox, in the transaction of the change it announces. Call `ctx.wakeOutbox()` after the commit. */
export const notify = async <K extends MailTemplate>(t: TenantTx, ctx: Deps, notice: Notice<K>): Promise<void> => {
  const { tenant, language: chosen } = await findTenantAndLanguage(t, notice.to)
  const language = await notificationLanguage(ctx, tenant, chosen)
  await enqueueMail(t, ctx, {
    to: notice.to,
    tenantName: displayTenantName(ctx, tenant),
    language,
    ...(notice.subjectId === undefined ? {} : { subjectId: notice.subjectId }),
    ...(notice.later === undefined ? {} : { notBefore: notice.later.at, kind: notice.later.kind }),
    template: notice.template,
    data: { ...notice.data, requestOrigin: requestOrigin(ctx, language) },
  } as Parameters<typeof enqueueMail>[2])
}
