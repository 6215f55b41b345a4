// In which language somebody is written to: what their company decided, else what the browser that caused the mail reads.
import type { Tenant } from '#db/store/tenants'
import { readVisit } from '../browser/visit.ts'
import type { RequestCtx } from '../context.ts'

type Decided = Pick<Tenant, 'settings'> | undefined

/** An invitation and what else somebody else's request causes is not for this: there the company's word alone counts. */
export const readerLanguage = async ({ request }: Pick<RequestCtx, 'request'>, tenant: Decided) => {
  if (tenant?.settings.language !== undefined) return tenant.settings.language
  const chosen = readVisit({ request })?.lang
  // The words of all mails stand beside it.
  if (chosen !== undefined) return (await import('./templates.ts')).languageOf(chosen)
  const { preferredLanguage } = await import('../page/language.ts')
  return preferredLanguage(request.header('accept-language'))
}
