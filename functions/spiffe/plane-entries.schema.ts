// Wire shapes of registration entries in AuthSec's identity plane (/authsec/spiresvc).
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const MAX_SECONDS = 86_400
const id = z.string().min(1).max(2048)
const Selectors = z
  .record(z.string().max(200), z.union([z.string().max(400), z.array(z.string().max(400)).max(50)]))
  .meta({ id: 'PlaneSelectors', examples: [{ 'k8s:ns': 'prod', 'k8s:sa': 'api' }] })
const ttl = z.number().int().min(0).max(MAX_SECONDS).optional()

export const NewPlaneEntry = z
  .object({
    spiffe_id: id,
    parent_id: id.optional(),
    selectors: Selectors,
    ttl,
    admin: z.boolean().optional(),
    downstream: z.boolean().optional(),
  })
  .meta({ id: 'NewPlaneEntry' })
export const PlaneEntryChange = z
  .object({ spiffe_id: id, parent_id: id, selectors: Selectors, ttl, admin: z.boolean().optional(), downstream: z.boolean().optional() })
  .meta({ id: 'PlaneEntryChange' })
export const NewAgentEntry = z
  .object({ client_id: Id, agent_type: z.string().min(1).max(64), parent_id: id.optional(), selectors: Selectors.optional(), ttl })
  .meta({ id: 'NewPlaneAgentEntry' })

export const PlaneEntryPath = z.object({ id: Id })
export const PlaneEntryQuery = z.object({
  parent_id: z.string().max(2048).optional(),
  spiffe_id: z.string().max(2048).optional(),
  spiffe_id_search: z.string().max(200).optional(),
  selector_type: z.enum(['unix', 'kubernetes', 'docker']).optional(),
  admin: z.stringbool().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
})
export const ByParentQuery = z.object({ parent_id: z.string().max(2048).optional() })

const shape = {
  id: z.uuid(),
  tenant_id: z.uuid(),
  spiffe_id: z.string(),
  parent_id: z.string(),
  selectors: z.record(z.string(), z.union([z.string(), z.array(z.string())])),
  ttl: z.int(),
  admin: z.boolean(),
  downstream: z.boolean(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}
export const PlaneEntry = z.object(shape).meta({ id: 'PlaneEntry' })
export const PlaneEntryList = z.object({ entries: z.array(PlaneEntry), total: z.int() }).meta({ id: 'PlaneEntryList' })
export const AgentEntry = z
  .object({
    entry_id: z.uuid(),
    spiffe_id: z.string(),
    tenant_id: z.uuid(),
    client_id: z.uuid(),
    parent_id: z.string(),
    selectors: shape.selectors,
    ttl: z.int(),
    created_at: z.iso.datetime(),
  })
  .meta({ id: 'PlaneAgentEntry' })
export const EntryDeleted = z.object({ message: z.string(), id: z.uuid() }).meta({ id: 'PlaneEntryDeleted' })
