// Removes expired rows in all tenants. Row level security limits the jobs role to such rows by the server's clock, so a wrong clock of ours deletes
// no live row. Expiry is evaluated at read time; this only keeps tables small.
import { getTableName, lt, sql } from 'drizzle-orm'
import type { JobsDb } from '../engine/tenant.ts'
import { attestationUses, joinTokens } from '../tables/attestation.ts'
import { oauthBudgets, oauthDelegations, oauthSpends } from '../tables/delegations.ts'
import { pendingEnrolments, smsCodes } from '../tables/factors.ts'
import { federationStates } from '../tables/federation.ts'
import { cibaRequests, deviceCodeDirectory, deviceGrants, voiceSessions } from '../tables/grants.ts'
import { mcpSessions } from '../tables/mcp.ts'
import { oauthAuthorizations, oauthRequests, oauthUsedIds, registrationTokens, resourceAccessRequests } from '../tables/oauth.ts'
import { samlRequests } from '../tables/saml.ts'
import { loginTransactions, oneTimeCodes, pendingRegistrations, revokedTokens, sessions } from '../tables/sessions.ts'
import { svids } from '../tables/spiffe.ts'

const TABLES = {
  sessions,
  tickets: loginTransactions,
  oneTimeCodes,
  pendingRegistrations,
  revokedTokens,
  pendingEnrolments,
  smsCodes,
  deviceGrants,
  deviceCodeDirectory,
  cibaRequests,
  voiceSessions,
  federationStates,
  oauthAuthorizations,
  oauthRequests,
  oauthUsedIds,
  registrationTokens,
  resourceAccessRequests,
  samlRequests,
  mcpSessions,
  oauthDelegations,
  oauthSpends,
  oauthBudgets,
  svids,
  attestationUses,
  joinTokens,
}
export type ExpiringKind = keyof typeof TABLES

/**
 * Deletes at most `limit` rows that expired before the given time, and returns their number: short locks, and a run that can stop between two
 * batches.
 */
export const deleteExpiredOfAllTenants = async (d: JobsDb, kind: ExpiringKind, before: Date, limit: number): Promise<number> => {
  const table = TABLES[kind]
  const rows = await d.db.execute<{ deleted: number }>(sql`
    with gone as (
      delete from ${table} where ctid = any (array(select ctid from ${table} where ${lt(table.expiresAt, before)} limit ${limit})) returning 1
    ) select count(*)::int as deleted from gone`)
  return rows[0]?.deleted ?? 0
}

/** Name of the table, for log lines. */
export const tableOf = (kind: ExpiringKind): string => getTableName(TABLES[kind])
