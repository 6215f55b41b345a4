// What a person sees before deciding on a user code: the client, its scopes, the device and the expiry. Shared by the API and the page.

import { forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { findTenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import type { User } from '#shared/platform/principals/principal'
import { lookUpUserCode } from './device.ts'
import { plainText } from './plain-text.ts'
import { type DeviceResourceRequest, findDeviceResourceRequest } from './resource-request.ts'

const MOST_NAME = 80

export type Activation = {
  readonly state: 'pending'
  readonly userCode: string
  /** Undefined for a grant that no client began. */
  readonly clientName: string | undefined
  /** The tenant that the client belongs to. */
  readonly tenantDomain: string | undefined
  /** The device's own description; unverified. */
  readonly deviceInfo: Readonly<Record<string, string>>
  readonly scopes: readonly string[]
  readonly oauth: DeviceResourceRequest | undefined
  readonly channel: 'device' | 'voice'
  readonly requestedAt: Date
  readonly expiresAt: Date
}

/** @throws AppError rate_limited after ten wrong codes from one address */
export const showActivation = async (
  ctx: RequestCtx,
  typed: string,
  caller?: Pick<User, 'tenantId' | 'userId'>,
): Promise<Activation | { readonly state: 'decided' | 'unknown' }> => {
  const found = await lookUpUserCode(ctx, typed, caller)
  if (found.state !== 'pending') return found
  const { grant, entry, userCode } = found
  const t = forTenant(ctx.db, entry.tenantId)
  const client = grant.clientId === null ? undefined : await findClient(t, grant.clientId)
  const tenant = grant.clientId === null ? undefined : await findTenant(t)
  return {
    state: 'pending',
    userCode,
    clientName: client === undefined ? undefined : plainText(client.name, MOST_NAME),
    tenantDomain: tenant?.domain,
    deviceInfo: grant.deviceInfo ?? {},
    scopes: grant.scopes,
    oauth: await findDeviceResourceRequest(t, grant, client),
    channel: grant.channel,
    requestedAt: grant.createdAt,
    expiresAt: grant.expiresAt,
  }
}
