// Imports clients. AuthSec stores their secrets outside the database, so an administrator must issue new ones.
import type { ImportRows } from '#db/store/import'
import type { ReportNotes } from './report.ts'
import { flagField, listField, momentField, type SourceRow, textField, uuidField } from './source.ts'

const DEFAULT_NAMES = new Set(['default client', 'default'])
const TYPES = new Set(['application', 'ai_agent', 'm2m_service'])

type Options = {
  readonly tenantId: string
  readonly userIds: ReadonlySet<string>
  readonly projectIds: ReadonlySet<string>
  /** Whether a client of another tenant has the id. */
  readonly isTaken: (clientId: string) => boolean
  readonly now: Date
  readonly notes: ReportNotes
}
type Client = ImportRows['clients'][number]

const clientOf = (row: SourceRow, id: string, isDefault: boolean, { projectIds, userIds, now, notes }: Options): Client => {
  const isDeleted = flagField(row, 'deleted') || textField(row, 'status') === 'Deleted' || momentField(row, 'deleted_at') !== undefined
  const active = !isDeleted && row.active !== false
  const [type, createdAt] = [textField(row, 'client_type') ?? 'application', momentField(row, 'created_at') ?? now]
  const isKnownType = TYPES.has(type)
  const projectId = uuidField(row, 'project_id')
  const ownerId = uuidField(row, 'owner_id')
  notes.taken('clients', id, ...(isDefault ? ['default_by_name'] : ['secret_must_be_rotated']), ...(isKnownType ? [] : ['client_type_unknown']))
  return {
    id,
    name: textField(row, 'name', 256) ?? 'Client',
    email: textField(row, 'email', 512) ?? null,
    projectId: projectId !== undefined && projectIds.has(projectId) ? projectId : null,
    ownerId: ownerId !== undefined && userIds.has(ownerId) ? ownerId : null,
    clientType: isKnownType ? type : 'application',
    status: isDeleted ? 'Deleted' : active ? 'Active' : 'Development',
    active,
    isDefault,
    description: textField(row, 'description', 2000) ?? '',
    tags: [...listField(row, 'tags')],
    agentType: textField(row, 'agent_type', 100) ?? null,
    spiffeId: textField(row, 'spiffe_id', 2048) ?? null,
    oidcEnabled: flagField(row, 'oidc_enabled'),
    hydraClientId: textField(row, 'hydra_client_id', 300) ?? null,
    lastLoginAt: momentField(row, 'last_login') ?? null,
    validFrom: now,
    createdAt,
    updatedAt: momentField(row, 'updated_at') ?? createdAt,
    deletedAt: isDeleted ? (momentField(row, 'deleted_at') ?? now) : null,
  }
}

/** Oldest first, so that the first client with a default's name becomes the default. */
export const planClients = (rows: readonly SourceRow[], options: Options): readonly Client[] => {
  const { tenantId, isTaken, notes } = options
  const seen = new Set<string>()
  let hasDefault = false
  const age = (row: SourceRow): number => momentField(row, 'created_at')?.getTime() ?? 0
  return rows
    .toSorted((a, b) => age(a) - age(b) || String(a.client_id).localeCompare(String(b.client_id)))
    .flatMap((row) => {
      // AuthSec identifies a client by `client_id`, not by `id`.
      const id = uuidField(row, 'client_id')
      const owner = uuidField(row, 'tenant_id')
      const reason =
        id === undefined
          ? 'id_invalid'
          : seen.has(id)
            ? 'duplicate'
            : isTaken(id)
              ? 'client_of_another_tenant'
              : owner !== undefined && owner !== tenantId
                ? 'cross_tenant'
                : undefined
      if (id === undefined || reason !== undefined) {
        notes.refused('clients', id ?? null, reason ?? 'id_invalid')
        return []
      }
      seen.add(id)
      const isDefault = !hasDefault && DEFAULT_NAMES.has(textField(row, 'name')?.toLowerCase() ?? '')
      hasDefault ||= isDefault
      return [clientOf(row, id, isDefault, options)]
    })
}
