// A one-time link to set a first password. The secret is in the fragment, which servers, proxies and logs do not see.

import type { TenantTx } from '#db/engine/tenant'
import { endLoginTransactions } from '#db/store/login-transactions'
import { findTenantAndLanguage } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import type { RequestInfo } from '#shared/kernel/context'
import { decidedLanguage } from '#shared/platform/outbox/mail/language'
import type { MailData } from '#shared/platform/outbox/mail/mail-data'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import { displayTenantName } from '#shared/platform/pages/tenant-name'

const LINK_HOURS = 24

/** The page that the link opens. */
export const SET_PASSWORD_PATH = '/account/set-password'

type Deps = Pick<BaseCtx, 'config' | 'clock' | 'random' | 'hash' | 'keyring'> & { readonly request?: RequestInfo }
type Given = {
  readonly userId: string
  readonly email: string
  readonly purpose: MailData['set_password_link']['purpose']
  readonly invitedBy?: string
  /** Validity in hours; 24 by default. */
  readonly hours?: number
}

/** Mails the link and invalidates earlier ones. Call in the transaction that records the event, then call `ctx.wakeOutbox()`. */
export const mailSetPasswordLink = async (
  t: TenantTx,
  ctx: Deps,
  { userId, email, purpose, invitedBy, hours = LINK_HOURS }: Given,
): Promise<void> => {
  await endLoginTransactions(t, userId, ctx.clock.now(), 'set_password')
  const transactionToken = await startLoginTransaction(t, ctx, {
    purpose: 'set_password',
    userId,
    clientId: null,
    verified: [],
    // The link proves only the address that it was sent to.
    data: { email },
    seconds: hours * 3600,
  })
  const { tenant, language } = await findTenantAndLanguage(t, email)
  await enqueueMail(t, ctx, {
    to: email,
    subjectId: userId,
    tenantName: displayTenantName(ctx, tenant),
    language: decidedLanguage(tenant, language),
    template: 'set_password_link',
    data: {
      link: `${ctx.config.BASE_URL}${SET_PASSWORD_PATH}#ticket=${transactionToken}`,
      hours,
      purpose,
      ...(invitedBy === undefined ? {} : { invitedBy }),
    },
  })
}
