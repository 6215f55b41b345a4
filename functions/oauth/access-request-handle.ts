// The opaque id of a client's access request. AuthSec's SDKs poll its URL without a credential, so it names the tenant and contains the random id of the request.
import { asTenantId, type TenantId } from '#db/engine/tenant'
import { isUuid, splitHandle } from '#shared/kernel/ids'

const UUID_LENGTH = 36

export const accessRequestHandle = (tenantId: TenantId, id: string): string => `${tenantId}.${id}`

/** Returns undefined for any other text. */
export const parseAccessRequestHandle = (text: string): { readonly tenantId: TenantId; readonly id: string } | undefined => {
  const handle = splitHandle(text, UUID_LENGTH)
  return handle === undefined || !isUuid(handle.secret) ? undefined : { tenantId: asTenantId(handle.id), id: handle.secret }
}
