// The providers that people may sign in with: the tenant's own replace the platform's of the same name; the environment's apply where the platform has no row.

import { forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { listClientProviders } from '#db/store/client-providers'
import { DEFAULT_PROVIDER_ORDER, findProvider, listProviders, type Provider, type ProviderIcon } from '#db/store/providers'
import type { BaseCtx } from '#shared/domains/context'
import type { Config } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import type { UpstreamClient } from './engine/engine.ts'
import { ENTRA_ORIGIN, githubEnterprise, PRESETS } from './engine/presets.ts'

export type ProviderTerms = Pick<Provider, 'allowedEmailDomains' | 'jitProvisioning' | 'trustsFactors'>
const NO_TERMS: ProviderTerms = { allowedEmailDomains: [], jitProvisioning: false, trustsFactors: false }

export type Upstream = {
  readonly name: string
  readonly displayName: string
  readonly iconUrl: string | undefined
  readonly isOwn: boolean
  readonly buttonText: string | undefined
  readonly icon: ProviderIcon
  readonly sortOrder: number
  /** The tenant's rules for its own provider: who may sign in, and whether its factors count. */
  readonly terms: ProviderTerms
  readonly peer: Omit<UpstreamClient, 'secret'>
  /** The row with the secret; none for a provider of the environment. */
  readonly row: Provider | undefined
}

type Deps = Pick<BaseCtx, 'db' | 'config'>
export type PresetName = 'GOOGLE' | 'GITHUB' | 'MICROSOFT'
export const PRESET_NAMES: Readonly<Record<string, PresetName>> = { google: 'GOOGLE', github: 'GITHUB', microsoft: 'MICROSOFT' }

/** A row without an issuer must be a known provider or a GitHub server; otherwise its answers could not be verified, and it is not offered. */
const endpointsOf = (row: Provider): Omit<UpstreamClient, 'secret' | 'clientId'> | undefined => {
  const parameters = row.additionalParams
  if (row.issuer !== null) return { issuer: row.issuer, scopes: row.scopes, parameters }
  const isGithub = row.authorizationUrl === PRESETS.github?.github?.authorization
  const preset =
    githubEnterprise(row.authorizationUrl) ??
    (isGithub ? PRESETS.github : undefined) ??
    (Object.hasOwn(PRESETS, row.providerName) ? PRESETS[row.providerName] : undefined)
  if (preset === undefined) return undefined
  return { issuer: preset.issuer, scopes: preset.scopes, parameters, ...(preset.github === undefined ? {} : { github: preset.github }) }
}

/** The icon on our own pages. */
const iconOf = (name: string, issuer: string): ProviderIcon => {
  const known = Object.entries(PRESETS).find(([, preset]) => preset.issuer === issuer)?.[0] ?? name
  return known === 'google' || known === 'github' || known === 'microsoft' ? known : issuer.startsWith(ENTRA_ORIGIN) ? 'microsoft' : 'key'
}

/** Undefined for a provider that is disabled, has no client, or whose answers could not be verified. */
export const upstreamOf = (row: Provider): Upstream | undefined => {
  const endpoints = row.isActive && row.clientId !== '' ? endpointsOf(row) : undefined
  if (endpoints === undefined) return undefined
  return {
    name: row.providerName,
    displayName: row.displayName,
    iconUrl: row.iconUrl ?? undefined,
    isOwn: row.tenantId !== SYSTEM_TENANT,
    buttonText: row.buttonText ?? undefined,
    icon: row.icon ?? iconOf(row.providerName, endpoints.issuer),
    sortOrder: row.sortOrder,
    terms: row,
    peer: { ...endpoints, clientId: row.clientId },
    row,
  }
}

/** The environment's provider of that name. Its secret is read only when needed. */
const fromEnvironment = (config: Config, name: string): Upstream | undefined => {
  const [named, preset] = [PRESET_NAMES[name], PRESETS[name]]
  const clientId = named === undefined ? undefined : config[`${named}_CLIENT_ID`]
  if (clientId === undefined || preset === undefined) return undefined
  const { displayName, github, issuer, scopes } = preset
  const peer = { issuer, scopes, clientId, ...(github === undefined ? {} : { github }) }
  const looks = { iconUrl: undefined, buttonText: undefined, icon: iconOf(name, issuer), sortOrder: DEFAULT_PROVIDER_ORDER }
  return { name, displayName, ...looks, isOwn: false, terms: NO_TERMS, peer, row: undefined }
}

const inOrder = (a: Upstream, b: Upstream): number => a.sortOrder - b.sortOrder || a.name.localeCompare(b.name, 'en')

/** The enabled providers in the tenant's order: the platform's, and the tenant's own, which replace those of the same name. */
export const listUpstreams = async (ctx: Deps, tenantId: TenantId): Promise<Upstream[]> => {
  const rows = await listProviders(forTenant(ctx.db, SYSTEM_TENANT))
  const own = tenantId === SYSTEM_TENANT ? [] : await listProviders(forTenant(ctx.db, tenantId))
  const named = new Map<string, Upstream | undefined>()
  for (const name of Object.keys(PRESETS)) named.set(name, fromEnvironment(ctx.config, name))
  for (const row of [...rows, ...own]) named.set(row.providerName, upstreamOf(row))
  return [...named.values()].filter((one) => one !== undefined).toSorted(inOrder)
}

/** The providers of a client's sign-in: the chosen ones in their order, or all of the tenant's when none are chosen. */
export const listUpstreamsAt = async (ctx: Deps, tenantId: TenantId, clientId: string | undefined): Promise<Upstream[]> => {
  const all = await listUpstreams(ctx, tenantId)
  const chosen = clientId === undefined ? [] : await listClientProviders(forTenant(ctx.db, tenantId), clientId)
  if (chosen.length === 0) return all
  return chosen.flatMap(({ providerId, displayName, sortOrder }) => {
    const one = all.find(({ row, isOwn }) => isOwn && row?.id === providerId)
    return one === undefined ? [] : [{ ...one, displayName, sortOrder }]
  })
}

/** The provider with that name in the tenant; undefined when not offered. */
export const findUpstream = async (ctx: Deps, tenantId: TenantId, name: string): Promise<Upstream | undefined> => {
  const own = tenantId === SYSTEM_TENANT ? undefined : await findProvider(forTenant(ctx.db, tenantId), name)
  const row = own ?? (await findProvider(forTenant(ctx.db, SYSTEM_TENANT), name))
  if (row !== undefined) return upstreamOf(row)
  return Object.hasOwn(PRESETS, name) ? fromEnvironment(ctx.config, name) : undefined
}

/** @throws AppError provider_not_enabled */
export const requireUpstream = async (ctx: Deps, tenantId: TenantId, name: string): Promise<Upstream> => {
  const found = await findUpstream(ctx, tenantId, name)
  if (found === undefined) throw new AppError('provider_not_enabled', undefined, { field: 'body.provider' })
  return found
}
