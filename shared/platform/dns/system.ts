// The real resolver, based on Node's. Uses the system's name servers unless the deployment configures others.
import { Resolver as NodeResolver } from 'node:dns/promises'
import { MAX_TXT_RECORDS, type TxtResolver } from './resolver.ts'

const TRY_MS = 2000
const TRIES = 2
const DEADLINE_MS = 9000

const NONE = new Set(['ENOTFOUND', 'ENODATA'])
const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code)

/** A final dot makes the name absolute, so that the host's search domains are not tried. */
const absolute = (name: string): string => (name.endsWith('.') ? name : `${name}.`)

export const systemTxtResolver = (servers: readonly string[]): TxtResolver => ({
  txt: async (name) => {
    // One resolver per query, so that cancelling it affects no other query.
    const query = new NodeResolver({ timeout: TRY_MS, tries: TRIES })
    if (servers.length > 0) query.setServers([...servers])
    const deadline = setTimeout(() => query.cancel(), DEADLINE_MS)
    try {
      const records = await query.resolveTxt(absolute(name))
      return records.slice(0, MAX_TXT_RECORDS).map((parts) => parts.join(''))
    } catch (error) {
      return NONE.has(codeOf(error)) ? 'none' : 'unreachable'
    } finally {
      clearTimeout(deadline)
    }
  },
})
