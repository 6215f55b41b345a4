// AuthSec's configurations by id. Two kinds of them lie here: a provider of the tenant's own (`oidc`), and its main client (`oauth_server`).
import type * as z from 'zod'
import type { TenantId } from '#db/engine/tenant'
import { lockProviderById } from '#db/store/providers'
import { acting, actingTenant } from '#shared/domains/authority/acting'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { changeConnection } from './connection.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import type { EditConfig, EditedConfig } from './hydra.schema.ts'
import { changeMain, lockMain } from './main-client.ts'
import { fieldsAt, givenOf } from './provider-given.ts'
import { configOf } from './view.ts'
import { ClientIn, ProviderMembers } from './wire.schema.ts'

const MainFiles = ClientIn.partial()

/** What a configuration may say is a provider's or a client's own shape. @throws AppError invalid_request */
const filesOf = <S extends typeof ProviderMembers | typeof MainFiles>(schema: S, files: Readonly<Record<string, unknown>>): z.output<S> => {
  const parsed = schema.safeParse(files)
  if (parsed.success) return parsed.data as z.output<S>
  const field = ['body', 'config_files', ...(parsed.error.issues[0]?.path ?? [])].join('.')
  throw new AppError('invalid_request', `${field}: ${parsed.error.issues[0]?.message ?? 'malformed'}`, { field })
}

const wrongType = (): AppError =>
  new AppError('invalid_request', 'body.config_type: is another than that of this configuration', { field: 'body.config_type' })

/** @throws AppError not_found, invalid_request, cannot_grant */
export const editConfig = async (ctx: Ctx, caller: User, body: z.output<typeof EditConfig>): Promise<z.input<typeof EditedConfig>> => {
  const tenantId: TenantId = actingTenant(caller, body.tenant_id)
  const edited = await acting(ctx, caller, tenantId, async (t, grants) => {
    const provider = await lockProviderById(t, body.id)
    if (provider !== undefined) {
      if (body.config_type !== 'oidc') throw wrongType()
      const { displayName: _, ...given } = givenOf(filesOf(ProviderMembers, body.config_files))
      const more = { displayName: body.name, ...(body.is_active === undefined ? {} : { isActive: body.is_active }) }
      const row = await changeConnection(t, ctx, caller, provider, { ...given, ...more }, fieldsAt('body.config_files'))
      return { name: row.displayName, files: { ...configOf(row) }, active: row.isActive, row }
    }
    const main = await lockMain(t)
    if (main.id !== body.id) throw new AppError('not_found')
    if (body.config_type !== 'oauth_server') throw wrongType()
    const asked = { ...filesOf(MainFiles, body.config_files), client_name: body.name, enabled: body.is_active ?? main.oidcEnabled }
    const row = await changeMain(t, ctx, { caller, grants }, main, asked, 'config_files.')
    const files = { redirect_uris: row.redirectUris, scopes: row.allowedScopes ?? [], grant_types: row.grantTypes }
    return { name: row.name, files, active: row.oidcEnabled, row }
  })
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
