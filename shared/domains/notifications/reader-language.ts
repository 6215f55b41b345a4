// In which language somebody is written to: what they chose themselves, else what their company decided, else what the browser reads that caused it.
import type { Tenant } from '#db/store/tenants'
import type { User } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { readVisit } from '#shared/platform/http/pages/visit'
import { type MailLanguage, mailLanguageOf } from '#shared/platform/outbox/mail/language'

type Decided = Pick<Tenant, 'settings'> | undefined

/** What the browser at hand reads. */
export const browserLanguage = async ({ request }: Pick<RequestCtx, 'request'>): Promise<MailLanguage> => {
  const chosen = readVisit({ request })?.lang
  if (chosen !== undefined) return mailLanguageOf(chosen)
  const { preferredLanguage } = await import('#shared/platform/pages/language')
  return preferredLanguage(request.header('accept-language'))
}

/** An invitation and what else somebody else's request causes is not for this: there `decidedLanguage` counts. */
export const readerLanguage = async (ctx: Pick<RequestCtx, 'request'>, tenant: Decided, chosen: User['language'] = null): Promise<MailLanguage> =>
  chosen ?? tenant?.settings.language ?? browserLanguage(ctx)
