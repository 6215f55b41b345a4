// The rules of the platform and the tenant endpoints: client authentication, requests, polls, decisions and devices.
import type * as z from 'zod'
import { directory, forTenant } from '#db/engine/tenant'
import { type Client, type ClientEntry, findClient, findClientEntry } from '#db/store/clients'
import { findTenantByDomain } from '#db/store/domains'
import { decideCiba, listCibaRequests, pollCiba } from '#shared/domains/ciba/decision'
import { forgetPushDevice, listPushDevices, registerPushDevice } from '#shared/domains/ciba/devices'
import { parseClientId } from '#shared/domains/clients/application'
import { authenticatedClient, namedClientId } from '#shared/domains/clients/authenticate'
import { plainText } from '#shared/domains/device-authorization/plain-text'
import { beginGrantedSession } from '#shared/domains/device-authorization/poll'
import { toPollResponse } from '#shared/domains/device-authorization/poll-response'
import { findDeviceResourceRequest, toResourceRequestResponse } from '#shared/domains/device-authorization/resource-request'
import { requestedScopes } from '#shared/domains/device-authorization/scopes'
import { fullDomain, isPlatformDomain } from '#shared/domains/sign-in/choose-tenant'
import { mintToken } from '#shared/domains/sign-in/session'
import { AppError } from '#shared/kernel/errors'
import { usesBasicAuth } from '#shared/platform/http/basic-auth'
import type { User } from '#shared/platform/principals/principal'
import type {
  CibaAnswer,
  CibaAnswered,
  CibaDevices,
  CibaInitiated,
  CibaToken,
  DeviceAdded,
  NewDevice,
  PlatformCibaRequest,
  Requests,
  TenantCibaRequest,
} from './ciba.schema.ts'
import type { Ctx } from './group.ts'

const MAX_NAME_LENGTH = 80

/** With COMPATIBILITY=authsec a plain client id authenticates the client, for unmodified clients in a closed deployment. A wrong secret is still refused. */
const compatibleClient = async (ctx: Ctx, named: string | undefined): Promise<ClientEntry | undefined> => {
  if (ctx.config.COMPATIBILITY !== 'authsec' || named === undefined || named.includes('~') || usesBasicAuth(ctx.request)) return undefined
  const id = parseClientId(named)
  const entry = id === undefined ? undefined : await findClientEntry(directory(ctx.db), id)
  return entry?.active === true ? entry : undefined
}

/** The client must authenticate itself, because plain client ids are public. @throws AppError client_unauthenticated */
const requireClient = async (ctx: Ctx, named: string | undefined, domain?: string): Promise<ClientEntry> => {
  const client = (await authenticatedClient(ctx, named)) ?? (await compatibleClient(ctx, named))
  const refused = new AppError('client_unauthenticated', undefined, {
    refusal: { event: 'ciba.requested', ...(client === undefined ? {} : { tenantId: client.tenantId }) },
  })
  if (client === undefined) throw refused
  const full = domain === undefined ? undefined : fullDomain(ctx.config, domain)
  if (full === undefined || isPlatformDomain(ctx.config, full)) return client
  if ((await findTenantByDomain(directory(ctx.db), full)) !== client.tenantId) throw refused
  return client
}

type PersonPrompt = { readonly email: string; readonly message: string; readonly scopes: readonly string[] | undefined }

const startRequest = async (ctx: Ctx, client: ClientEntry, { email, message, scopes }: PersonPrompt): Promise<z.input<typeof CibaInitiated>> => {
  const { startCibaRequest } = await import('#shared/domains/ciba/request')
  const started = await startCibaRequest(ctx, client, { email, bindingMessage: message, scopes: requestedScopes(scopes) })
  return {
    auth_req_id: started.authReqId,
    expires_in: started.expiresInSeconds,
    interval: started.intervalSeconds,
    message: 'Authentication request sent.',
    ...(started.matchNumber === undefined ? {} : { match_number: started.matchNumber }),
  }
}

/** The members in place of a request, for a tenant that discloses accounts. */
const NOTHING = { auth_req_id: '', expires_in: 0, interval: 0 }

/** @throws AppError client_unauthenticated, too_many_requests_pending, ciba_user_unknown */
export const initiateByHint = async (ctx: Ctx, body: z.output<typeof PlatformCibaRequest>): Promise<z.input<typeof CibaInitiated>> => {
  const client = await requireClient(ctx, body.client_id)
  const question = { email: body.login_hint, message: body.binding_message ?? 'Authentication request', scopes: body.scopes }
  return startRequest(ctx, client, question).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'ciba_user_unknown') throw new AppError(error.code, undefined, { extra: NOTHING })
    if (error.code !== 'ciba_no_device') throw error
    return { ...NOTHING, message: error.message, error: 'no_device_registered', error_description: error.message } as const
  })
}

/** @throws AppError client_unauthenticated, too_many_requests_pending, ciba_user_unknown, ciba_no_device */
export const initiateByAddress = async (ctx: Ctx, body: z.output<typeof TenantCibaRequest>): Promise<z.input<typeof CibaInitiated>> => {
  const client = await requireClient(ctx, body.client_id, body.tenant_domain)
  return startRequest(ctx, client, { email: body.email, message: body.binding_message ?? 'Tap to approve sign-in', scopes: body.scopes })
}

type Poll = { readonly auth_req_id: string; readonly client_id?: string | undefined }

/** @throws AppError authorization_pending, slow_down, expired_token, access_denied, authorization_denied, quota_exceeded */
export const pollForToken = async (
  ctx: Ctx,
  body: Poll,
  denied: 'access_denied' | 'authorization_denied',
): Promise<z.input<typeof CibaToken> | 'pending'> => {
  const clientId = await namedClientId(ctx, body.client_id)
  const polled = await pollCiba(ctx, { authReqId: body.auth_req_id, clientId }, beginGrantedSession(ctx))
  const answer = toPollResponse(ctx, polled, denied)
  if (answer === 'pending') return answer
  const { token, expiresInSeconds } = await mintToken(ctx, answer.value)
  return { access_token: token, token_type: 'Bearer', expires_in: expiresInSeconds, scope: answer.value.scopes.join(' ') }
}

/** Decides a request. Every request that cannot be decided gets the same message. @throws AppError insufficient_user_authentication */
export const answerRequest = async (ctx: Ctx, caller: User, body: z.output<typeof CibaAnswer>): Promise<z.input<typeof CibaAnswered>> => {
  const { auth_req_id, approved, biometric_verified, match_number } = body
  const outcome = await decideCiba(ctx, caller, {
    authReqId: auth_req_id,
    approved,
    biometricVerified: biometric_verified,
    number: match_number,
  })
  switch (outcome) {
    case 'approved':
      return { success: true, message: 'The request was approved.' }
    case 'denied':
      return { success: true, message: 'The request was denied.' }
    case 'wrong_number':
      return { success: false, message: 'The number is not the one that was displayed; the request was denied.' }
    case 'refused':
      return { success: false, message: 'The request is unknown, expired or was answered already.' }
  }
}

/** @throws AppError invalid_request, insufficient_user_authentication, conflict */
export const addPushDevice = async (ctx: Ctx, caller: User, body: z.output<typeof NewDevice>): Promise<z.input<typeof DeviceAdded>> => {
  const id = await registerPushDevice(ctx, caller, {
    token: body.device_token,
    platform: body.platform,
    name: body.device_name,
    model: body.device_model,
    appVersion: body.app_version,
    osVersion: body.os_version,
  })
  return { success: true, device_id: id, message: 'Device registered.' }
}

export const showPushDevices = async (ctx: Ctx, caller: User): Promise<z.input<typeof CibaDevices>> => {
  const rows = await listPushDevices(ctx, caller)
  return {
    success: true,
    devices: rows.map((row) => ({
      id: row.id,
      ...(row.deviceName === null ? {} : { device_name: row.deviceName }),
      platform: row.platform,
      ...(row.deviceModel === null ? {} : { device_model: row.deviceModel }),
      ...(row.appVersion === null ? {} : { app_version: row.appVersion }),
      ...(row.osVersion === null ? {} : { os_version: row.osVersion }),
      is_active: row.isActive,
      ...(row.lastUsedAt === null ? {} : { last_used: row.lastUsedAt.toISOString() }),
      created_at: row.createdAt.toISOString(),
    })),
    message: `${rows.length} devices`,
  }
}

/** @throws AppError device_unknown */
export const forgetOwnPushDevice = async (ctx: Ctx, caller: User, deviceId: string): Promise<z.input<typeof CibaAnswered>> => {
  await forgetPushDevice(ctx, caller, deviceId)
  return { success: true, message: 'Device removed.' }
}

export const showCibaRequests = async (ctx: Ctx, caller: User): Promise<z.input<typeof Requests>> => {
  const rows = await listCibaRequests(ctx, caller)
  const t = forTenant(ctx.db, caller.tenantId)
  const clients = new Map<string, Client | undefined>()
  for (const { clientId } of rows) {
    if (clientId !== null && !clients.has(clientId)) clients.set(clientId, await findClient(t, clientId))
  }
  const requests = rows.map(async (row) => {
    const client = row.clientId === null ? undefined : clients.get(row.clientId)
    const name = plainText(client?.name ?? '', MAX_NAME_LENGTH)
    return {
      id: row.id,
      auth_req_id: row.id,
      user_id: caller.userId,
      tenant_id: caller.tenantId,
      user_email: caller.email,
      ...(row.clientId === null ? {} : { client_id: row.clientId }),
      ...(name === undefined ? {} : { client_name: name }),
      device_token_id: row.deviceIds[0] ?? '',
      binding_message: row.bindingMessage,
      number_required: row.numberHash !== null,
      scopes: row.scopes,
      ...(await toResourceRequestResponse(ctx, await findDeviceResourceRequest(t, row, client))),
      status: row.status,
      biometric_verified: row.biometricVerified,
      created_at: row.createdAt.toISOString(),
      expires_at: row.expiresAt.toISOString(),
    }
  })
  return { success: true, requests: await Promise.all(requests) }
}
