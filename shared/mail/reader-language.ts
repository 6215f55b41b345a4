// In which language somebody is written to: what their company decided, else what the browser that caused the mail reads.
import type { Tenant } from '#db/store/tenants'
import { readVisit } from '../browser/visit.ts'
import type { RequestCtx } from '../context.ts'
import { isLanguage, preferredLanguage } from '../page/language.ts'
import type { Language } from './templates.ts'

type Decided = Pick<Tenant, 'settings'> | undefined

/** An invitation and what else somebody else's request causes is not for this: there the company's word alone counts. */
export const readerLanguage = ({ request }: Pick<RequestCtx, 'request'>, tenant: Decided): Language => {
  if (tenant?.settings.language !== undefined) return tenant.settings.language
  const chosen = readVisit({ request })?.lang
  return chosen !== undefined && isLanguage(chosen) ? chosen : preferredLanguage(request.header('accept-language'))
}
