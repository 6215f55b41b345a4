// Group: SAML 2.0, this server as service provider (hmgr/saml/*, hmgr/admin/saml-providers, oocmgr/saml/*, /signin/saml).
import type { RequestCtx } from '#shared/domains/context'
import { routeFor } from '#shared/platform/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
