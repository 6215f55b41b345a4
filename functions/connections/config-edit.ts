// Edits AuthSec's configurations by id: a provider of the tenant (`oidc`) or its main client (`oauth_server`).
import type * as z from 'zod'
import type { TenantId } from '#db/engine/tenant'
import { lockProviderById } from '#db/store/providers'
import { actInTenant, actingTenant } from '#shared/domains/authority/acting-tenant'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { changeConnection } from './connection.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import type { EditConfig, EditedConfig } from './hydra.schema.ts'
import { changeMainClient, lockMainClient } from './main-client.ts'
import { connectionInputOf, providerFieldsAt } from './provider-input.ts'
import { toProviderConfig } from './view.ts'
import { ClientIn, ProviderMembers } from './wire.schema.ts'

const MainClientMembers = ClientIn.partial()

/** Parses `config_files` as the members of a provider or a client. @throws AppError invalid_request */
const parseFiles = <S extends typeof ProviderMembers | typeof MainClientMembers>(
  schema: S,
  files: Readonly<Record<string, unknown>>,
): z.output<S> => {
  const parsed = schema.safeParse(files)
  if (parsed.success) return parsed.data as z.output<S>
  const field = ['body', 'config_files', ...(parsed.error.issues[0]?.path ?? [])].join('.')
  throw new AppError('invalid_request', `${field}: ${parsed.error.issues[0]?.message ?? 'malformed'}`, { field })
}

const typeMismatch = (): AppError =>
  new AppError('invalid_request', 'body.config_type: differs from the type of this configuration', { field: 'body.config_type' })

/** @throws AppError not_found, invalid_request, cannot_grant */
export const editConfig = async (ctx: Ctx, caller: User, body: z.output<typeof EditConfig>): Promise<z.input<typeof EditedConfig>> => {
  const tenantId: TenantId = actingTenant(caller, body.tenant_id)
  const edited = await actInTenant(ctx, caller, tenantId, async (t, grantable) => {
    const provider = await lockProviderById(t, body.id)
    if (provider !== undefined) {
      if (body.config_type !== 'oidc') throw typeMismatch()
      const { displayName: _, ...input } = connectionInputOf(parseFiles(ProviderMembers, body.config_files))
      const more = { displayName: body.name, ...(body.is_active === undefined ? {} : { isActive: body.is_active }) }
      const row = await changeConnection(t, ctx, caller, provider, { ...input, ...more }, providerFieldsAt('body.config_files'))
      return { name: row.displayName, files: { ...toProviderConfig(row) }, active: row.isActive, row }
    }
    const main = await lockMainClient(t)
    if (main.id !== body.id) throw new AppError('not_found')
    if (body.config_type !== 'oauth_server') throw typeMismatch()
    const request = { ...parseFiles(MainClientMembers, body.config_files), client_name: body.name, enabled: body.is_active ?? main.oidcEnabled }
    const row = await changeMainClient(t, ctx, { caller, grantable }, main, request, 'config_files.')
    const files = { redirect_uris: row.redirectUris, scopes: row.allowedScopes ?? [], grant_types: row.grantTypes }
    return { name: row.name, files, active: row.oidcEnabled, row }
  })
  ctx.wakeOutbox()
  return enveloped(ctx, 'Configuration updated successfully', {
    id: body.id,
    name: edited.name,
    org_id: tenantId as string,
    tenant_id: tenantId as string,
    config_type: body.config_type,
    config_files: edited.files,
    is_active: edited.active,
    created_at: edited.row.createdAt.toISOString(),
    updated_at: edited.row.updatedAt.toISOString(),
    created_by: '',
    updated_by: caller.userId,
  })
}
