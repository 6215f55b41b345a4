// The application at which an end user signs in, found by the client id that public clients send in the body.

import { directory, type TenantId } from '#db/engine/tenant'
import { findClientEntry } from '#db/store/clients'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { isUuid } from '#shared/kernel/ids'

const SDK_SECRET = /^[0-9a-f]{64}$/

/** Accepts any case, quotes, underscores and AuthSec's `-main-client` suffix. */
const normalised = (text: string): readonly string[] =>
  text
    .trim()
    .replace(/^"|"$/g, '')
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/-main-client$/, '')
    .split('~')

/** A client id as clients send it, alone or as the first half of an SDK client id. */
export const parseClientId = (text: string): string | undefined => {
  const [id = ''] = normalised(text)
  return isUuid(id) ? id : undefined
}

/** The secret half of an SDK client id: `<client uuid>~<64 lower-case hex>`. Never logged, never echoed. */
export const parseSdkSecret = (text: string): string | undefined => {
  const [, secret = '', ...more] = normalised(text)
  return SDK_SECRET.test(secret) && more.length === 0 ? secret : undefined
}

export type Application = { readonly tenantId: TenantId; readonly clientId: string }

/** @throws AppError invalid_client when the client is malformed, unknown or inactive */
export const findApplication = async (ctx: Pick<RequestCtx, 'db'>, clientId: string): Promise<Application> => {
  const id = parseClientId(clientId)
  const entry = id === undefined ? undefined : await findClientEntry(directory(ctx.db), id)
  if (entry === undefined || !entry.active) throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
  return { tenantId: entry.tenantId, clientId: entry.clientId }
}
