// What a person sees before answering a backchannel request: the client, its scopes, its message and the expiry.

import { forTenant, type TenantDb } from '#db/engine/tenant'
import { type CibaRequest, findOwnCibaRequest } from '#db/store/ciba'
import { findClient } from '#db/store/clients'
import type { RequestCtx } from '#shared/domains/context'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import { type DeviceResourceRequest, findDeviceResourceRequest } from '#shared/domains/device-authorization/resource-request'
import type { User } from '#shared/platform/principals/principal'
import { listCibaRequests } from './decision.ts'

const MOST_NAME = 80

export type PendingCibaRequest = {
  readonly id: string
  /** The name that the tenant gave the client. */
  readonly clientName: string | undefined
  /** The client's own words; shown as a quotation. */
  readonly bindingMessage: string
  readonly scopes: readonly string[]
  readonly oauth: DeviceResourceRequest | undefined
  readonly needsNumber: boolean
  readonly expiresAt: Date
}

const toResponse = async (t: TenantDb, request: CibaRequest): Promise<PendingCibaRequest> => {
  const client = request.clientId === null ? undefined : await findClient(t, request.clientId)
  return {
    id: request.id,
    clientName: client === undefined ? undefined : plainText(client.name, MOST_NAME),
    bindingMessage: request.bindingMessage,
    scopes: request.scopes,
    oauth: await findDeviceResourceRequest(t, request, client),
    needsNumber: request.numberHash !== null,
    expiresAt: request.expiresAt,
  }
}

/** The caller's pending requests, newest first. */
export const pendingCibaRequests = async (ctx: RequestCtx, caller: User): Promise<readonly PendingCibaRequest[]> => {
  const t = forTenant(ctx.db, caller.tenantId)
  return Promise.all((await listCibaRequests(ctx, caller)).map((request) => toResponse(t, request)))
}

/** One pending request of the caller; undefined when it is answered, expired or another person's. */
export const pendingCibaRequest = async (ctx: RequestCtx, caller: User, id: string): Promise<PendingCibaRequest | undefined> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const request = await findOwnCibaRequest(t, caller.userId, id)
  const waits = request !== undefined && request.status === 'pending' && request.expiresAt > ctx.clock.now()
  return waits ? toResponse(t, request) : undefined
}
