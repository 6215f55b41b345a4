// Wire shapes of the lists of people.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { ListedAdminUser, Provider, TenantUser } from '#shared/domains/administration/people.schema'

const status = z.string().max(50).optional()
const page = z.coerce.number().int().min(1).max(100_000).optional()
const limit = z.coerce.number().int().min(1).max(1000).optional()

export const AdminListQuery = z.object({ provider: Provider.optional(), status, tenant_id: Id.optional(), page, limit })
/** `client_id` and `project_id` are accepted and have no effect. */
export const AdminListBody = z
  .object({
    status,
    provider: Provider.optional(),
    tenant_id: Id.optional(),
    client_id: z.string().max(200).optional(),
    project_id: z.string().max(200).optional(),
    page: z.int().min(1).max(100_000).optional(),
    limit: z.int().min(1).max(1000).optional(),
  })
  .meta({ id: 'AdminListBody' })
export const AdminList = z.object({ users: z.array(ListedAdminUser) }).meta({ id: 'AdminList' })

export const EndUserListBody = z
  .object({
    tenant_id: Id,
    page: z.int().min(1).max(100_000).optional(),
    /** All people, at most 1,000, when absent or not positive. */
    limit: z.int().max(1000).optional(),
    client_id: Id.optional(),
    provider: Provider.optional(),
    project_id: z.string().max(200).optional(),
    search: z.string().trim().min(1).max(200).optional(),
    cursor: z.string().max(1000).optional(),
  })
  .meta({ id: 'EndUserListBody' })
export const EndUserList = z
  .object({ users: z.array(TenantUser), total: z.int(), page: z.int(), limit: z.int(), next_cursor: z.string().optional() })
  .meta({ id: 'EndUserList' })
export const AdminMessage = z.object({ message: z.string() }).meta({ id: 'AdminMessage' })
