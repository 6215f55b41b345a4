// The context of the rules: the platform's, and the additions of the domains. A rule takes the parts it uses: `Pick<RequestCtx, 'db' | 'clock'>`.

import type { RequestInfo } from '#shared/kernel/context'
import type { PlatformCtx } from '#shared/platform/context'
import type { Policies } from './decision/policies.ts'
import type { Quotas } from './tenancy/quotas.ts'

export type BaseCtx = PlatformCtx & { readonly policies: Policies; readonly quotas: Quotas }

/** The context of one request. */
export type RequestCtx = BaseCtx & { readonly request: RequestInfo }
