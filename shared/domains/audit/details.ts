// Parses the opened details of an audit event. Kept apart from the writer, so that functions that only write load no schema.
import * as z from 'zod'
import type { SealedDetails } from '#shared/platform/audit/audit-log'

const members = z.record(z.string(), z.unknown())
const Details = z.object({ address: z.string().optional(), user_agent: z.string().optional(), before: members.optional(), after: members.optional() })

export const readDetails = (plain: string): SealedDetails => Details.parse(JSON.parse(plain))
