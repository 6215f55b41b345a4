// Group: SAML 2.0, this server as service provider (hmgr/saml/*, hmgr/admin/saml-providers, oocmgr/saml/*, /signin/saml).
import type { RequestCtx } from '#shared/context'
import { routeFor } from '#shared/http/route'

export type Ctx = RequestCtx
export const route = routeFor<Ctx>()
