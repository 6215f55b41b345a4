// The SAML identity providers of a tenant. A trusted provider can sign in as any person of the tenant, so changes need the whole administrator role.
import { createHash } from 'node:crypto'
import { isIP } from 'node:net'
import type * as z from 'zod'
import { forTenant, type TenantTx } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import {
  deleteSamlProvider,
  findSamlProvider,
  insertSamlProvider,
  isSamlNameTaken,
  listSamlProviders,
  lockSamlProvider,
  type SamlProvider,
  type SamlProviderChange,
  updateSamlProvider,
} from '#db/store/saml-providers'
import { type GrantorPermissions, requireFullRole } from '#shared/domains/authority/access-change'
import { actInTenant, actingTenant } from '#shared/domains/authority/acting-tenant'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { checkOutboundUrl } from '#shared/platform/fetch/outbound-url'
import type { User } from '#shared/platform/principals/principal'
import { readCertificates } from './certificates.ts'
import type { Ctx } from './group.ts'
import {
  type ChangedProviderBody,
  type NewProviderBody,
  SAML_PROVIDER_DEFAULTS,
  type SamlProviderOut,
  type TestedSamlProvider,
} from './providers.schema.ts'
import { clientAcsOf, entityIdOf, sharedAcsOf } from './service-provider.ts'

export type SamlTenantSelector = { readonly tenant_id?: string | undefined }

export const toSamlProvider = (row: SamlProvider): z.input<typeof SamlProviderOut> => ({
  id: row.id,
  tenant_id: row.tenantId,
  client_id: row.clientId,
  provider_name: row.providerName,
  display_name: row.displayName,
  entity_id: row.entityId,
  sso_url: row.ssoUrl,
  ...(row.sloUrl === null ? {} : { slo_url: row.sloUrl }),
  ...(row.metadataUrl === null ? {} : { metadata_url: row.metadataUrl }),
  name_id_format: row.nameIdFormat,
  attribute_mapping: { ...row.attributeMapping },
  is_active: row.isActive,
  sort_order: row.sortOrder,
  want_assertions_signed: row.wantsAssertionSigned,
  want_response_signed: row.wantsResponseSigned,
  sign_requests: row.signsRequests,
  allow_idp_initiated: row.allowsUnsolicited,
  jit_provisioning: row.jitProvisioning,
  trusts_factors: row.trustsFactors,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
export const toSamlProviderWithCertificate = (row: SamlProvider) => ({ ...toSamlProvider(row), certificate: row.certificates.join('') })

/** Audit values; certificates appear as digests. */
const noted = ({ certificates, ...row }: SamlProvider) => ({
  ...toSamlProvider({ ...row, certificates }),
  certificates: certificates.map((pem) => createHash('sha256').update(pem).digest('hex')),
})

/**
 * Only browsers go to this URL, never this server, so it may name an internal host; IP addresses are refused.
 * @throws AppError invalid_request
 */
const requireAddress = (ctx: Pick<Ctx, 'config'>, field: 'sso_url' | 'slo_url' | 'metadata_url', text: string | undefined): string | undefined => {
  if (text === undefined) return undefined
  const validated = checkOutboundUrl(text, { loopback: ctx.config.OUTBOUND_LOOPBACK === 'on' })
  const isName = validated === 'host' && isIP(new URL(text).hostname.replace(/^\[|\]$/g, '')) === 0
  const isPort = validated === 'port'
  if (typeof validated !== 'string' || isName || isPort) return text
  throw new AppError('invalid_request', `body.${field}: must be an https address of a named host`, { field: `body.${field}` })
}

/** @throws AppError cannot_grant */
const requireFull = (grantable: GrantorPermissions): void =>
  requireFullRole(grantable, 'change SAML providers, because a provider can sign in as any person')

/** @throws AppError invalid_client */
const requireClient = async (t: TenantTx, clientId: string): Promise<void> => {
  const client = await findClient(t, clientId)
  if (client === undefined || client.deletedAt !== null) throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
}

const changeOf = (ctx: Ctx, body: ChangedProviderBody): SamlProviderChange => {
  const [ssoUrl, sloUrl, metadataUrl] = (['sso_url', 'slo_url', 'metadata_url'] as const).map((field) => requireAddress(ctx, field, body[field]))
  const given = {
    providerName: body.provider_name,
    displayName: body.display_name,
    entityId: body.entity_id,
    ssoUrl,
    sloUrl,
    metadataUrl,
    certificates: body.certificate === undefined ? undefined : [...readCertificates(body.certificate)],
    nameIdFormat: body.name_id_format,
    attributeMapping: body.attribute_mapping,
    wantsAssertionSigned: body.want_assertions_signed,
    wantsResponseSigned: body.want_response_signed,
    signsRequests: body.sign_requests,
    allowsUnsolicited: body.allow_idp_initiated,
    jitProvisioning: body.jit_provisioning,
    trustsFactors: body.trusts_factors,
    isActive: body.is_active,
    sortOrder: body.sort_order,
  }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as SamlProviderChange
}

const UNSET = {
  sloUrl: null,
  metadataUrl: null,
  attributeMapping: {},
  nameIdFormat: SAML_PROVIDER_DEFAULTS.nameIdFormat,
  wantsAssertionSigned: false,
  wantsResponseSigned: false,
  signsRequests: true,
  allowsUnsolicited: false,
  jitProvisioning: false,
  trustsFactors: false,
  isActive: true,
  sortOrder: 0,
} as const

/** @throws AppError invalid_request, invalid_client, provider_exists, cannot_grant */
export const addSamlProvider = (ctx: Ctx, caller: User, body: NewProviderBody & SamlTenantSelector): Promise<SamlProvider> => {
  const { provider_name: providerName, display_name: displayName, entity_id: entityId, sso_url: ssoUrl, client_id: clientId } = body
  const set = { ...changeOf(ctx, body), certificates: [...readCertificates(body.certificate)] }
  return actInTenant(ctx, caller, actingTenant(caller, body.tenant_id), async (t, grantable) => {
    requireFull(grantable)
    await requireClient(t, clientId)
    const [id, at] = [ctx.random.id(), ctx.clock.now()]
    const row: SamlProvider = {
      tenantId: t.tenantId,
      ...UNSET,
      ...{ providerName, displayName, entityId, ssoUrl },
      ...set,
      id,
      clientId,
      createdAt: at,
      updatedAt: at,
    }
    if (!(await insertSamlProvider(t, row))) throw new AppError('provider_exists', undefined, { field: 'body.provider_name' })
    const target = { type: 'saml_provider', id } as const
    await recordEvent(t, ctx, { event: 'saml_provider.created', actor: byUser(caller), target, after: noted(row) })
    return row
  })
}

/** @throws AppError saml_provider_unknown, invalid_request, provider_exists, cannot_grant */
export const changeSamlProvider = (
  ctx: Ctx,
  caller: User,
  id: string,
  { tenant_id, client_id: clientId, ...body }: ChangedProviderBody & SamlTenantSelector & { readonly client_id?: string | undefined },
): Promise<SamlProvider> => {
  const set = changeOf(ctx, body)
  return actInTenant(ctx, caller, actingTenant(caller, tenant_id), async (t, grantable) => {
    requireFull(grantable)
    const before = await lockSamlProvider(t, id)
    if (before === undefined || (clientId !== undefined && clientId !== before.clientId)) throw new AppError('saml_provider_unknown')
    if (await isSamlNameTaken(t, { ...before, ...set })) throw new AppError('provider_exists', undefined, { field: 'body.provider_name' })
    const after = await updateSamlProvider(t, id, { ...set, updatedAt: ctx.clock.now() })
    if (after === undefined) throw new AppError('saml_provider_unknown')
    await recordEvent(t, ctx, {
      event: 'saml_provider.updated',
      actor: byUser(caller),
      target: { type: 'saml_provider', id },
      before: noted(before),
      after: noted(after),
    })
    return after
  })
}

/** @throws AppError saml_provider_unknown, cannot_grant */
export const removeSamlProvider = (
  ctx: Ctx,
  caller: User,
  id: string,
  { tenant_id, client_id: clientId }: SamlTenantSelector & { readonly client_id?: string | undefined },
): Promise<void> =>
  actInTenant(ctx, caller, actingTenant(caller, tenant_id), async (t, grantable) => {
    requireFull(grantable)
    const gone = await deleteSamlProvider(t, id)
    if (gone === undefined || (clientId !== undefined && clientId !== gone.clientId)) throw new AppError('saml_provider_unknown')
    await recordEvent(t, ctx, { event: 'saml_provider.deleted', actor: byUser(caller), target: { type: 'saml_provider', id }, before: noted(gone) })
  })

export const showSamlProviders = (
  ctx: Ctx,
  caller: User,
  request: SamlTenantSelector & { readonly client_id?: string | undefined },
): Promise<SamlProvider[]> => listSamlProviders(forTenant(ctx.db, actingTenant(caller, request.tenant_id)), request.client_id)

/** @throws AppError saml_provider_unknown */
export const readSamlProvider = async (ctx: Ctx, caller: User, id: string, request: SamlTenantSelector): Promise<SamlProvider> => {
  const row = await findSamlProvider(forTenant(ctx.db, actingTenant(caller, request.tenant_id)), id)
  if (row === undefined) throw new AppError('saml_provider_unknown')
  return row
}

/** The values to enter at the provider. @throws AppError saml_provider_unknown */
export const testSamlProvider = async (
  ctx: Ctx,
  caller: User,
  { tenant_id, provider_name: name }: { readonly tenant_id: string; readonly provider_name: string },
): Promise<z.input<typeof TestedSamlProvider>> => {
  const tenantId = actingTenant(caller, tenant_id)
  const row = (await listSamlProviders(forTenant(ctx.db, tenantId))).find(({ providerName }) => providerName === name)
  if (row === undefined) throw new AppError('saml_provider_unknown')
  const service = { tenantId, clientId: row.clientId }
  return {
    success: true,
    provider: {
      name: row.providerName,
      display_name: row.displayName,
      entity_id: row.entityId,
      sso_url: row.ssoUrl,
      is_active: row.isActive,
      client_id: row.clientId,
    },
    sp_metadata_url: entityIdOf(ctx, service),
    acs_url_client: clientAcsOf(ctx, service),
    acs_url_shared: sharedAcsOf(ctx),
  }
}
