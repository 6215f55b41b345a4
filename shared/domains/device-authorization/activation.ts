// What the person sees before deciding on a code: who asks, for what, from which device, until when. For the API and for the page alike.

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
  /** Undefined where no client began it: whoever asks is not known to us. */
  readonly clientName: string | undefined
  /** The tenant whose the grant will be, where a client bound it. */
  readonly tenantDomain: string | undefined
  /** What the device says of itself; nobody has checked it. */
  readonly deviceInfo: Readonly<Record<string, string>>
  readonly scopes: readonly string[]
  readonly oauth: DeviceResourceRequest | undefined
  readonly channel: 'device' | 'voice'
  readonly requestedAt: Date
  readonly expiresAt: Date
}

/** @throws AppError rate_limited after ten wrong codes of an address */
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
