// Opens and parses the details of an audit event. Kept apart from the writer, so that functions that only write load no schema.
import * as z from 'zod'
import type { TenantDb } from '#db/engine/tenant'
import type { AuditRow } from '#db/store/audit-events'
import type { SealedDetails } from '#shared/platform/audit/audit-log'
import { leafOf, sealContext } from '#shared/platform/audit/entry'
import type { Keyring } from '#shared/platform/crypto/keyring'

const members = z.record(z.string(), z.unknown())
const Details = z.object({
  address: z.string().optional(),
  user_agent: z.string().optional(),
  before: members.optional(),
  after: members.optional(),
  salt: z.string().optional(),
})

/** The details, and the salt of their digest. */
export const readDetails = (plain: string): SealedDetails & { readonly salt?: string | undefined } => Details.parse(JSON.parse(plain))

/**
 * The text of a row's details; undefined without details, or when the person's key was destroyed.
 * @throws SealError when the details or a clear column of the row were changed
 */
export const openDetails = async (ctx: { readonly keyring: Pick<Keyring, 'open'> }, t: TenantDb, row: AuditRow): Promise<string | undefined> =>
  row.sealed === null ? undefined : ctx.keyring.open(t, row.subjectId, row.sealed, sealContext(row.id, row.mac === null ? undefined : leafOf(row)))
