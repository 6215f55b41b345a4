// The language of a mail: the person's choice, else the tenant's, else that of the requesting browser.
import type { Tenant } from '#db/store/tenants'
import type { User } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { readVisit } from '#shared/platform/http/pages/visit'
import { type MailLanguage, mailLanguageOf } from '#shared/platform/outbox/mail/language'

type TenantLanguage = Pick<Tenant, 'settings'> | undefined

/** The preferred language of the requesting browser. */
export const browserLanguage = async ({ request }: Pick<RequestCtx, 'request'>): Promise<MailLanguage> => {
  const chosen = readVisit({ request })?.lang
  if (chosen !== undefined) return mailLanguageOf(chosen)
  const { preferredLanguage } = await import('#shared/platform/pages/language')
  return preferredLanguage(request.header('accept-language'))
}

/** Only for mails that the reader's own request causes; others, such as invitations, use `decidedLanguage`. */
export const readerLanguage = async (
  ctx: Pick<RequestCtx, 'request'>,
  tenant: TenantLanguage,
  chosen: User['language'] = null,
): Promise<MailLanguage> => chosen ?? tenant?.settings.language ?? browserLanguage(ctx)
