// The real resolver, on Node's own. Servers are those of the system unless the deployment names others.
import { Resolver as NodeResolver } from 'node:dns/promises'
import { MAX_TXT_RECORDS, type TxtResolver } from './resolver.ts'

const TRY_MS = 2000
const TRIES = 2
const DEADLINE_MS = 9000

const NONE = new Set(['ENOTFOUND', 'ENODATA'])
const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | null)?.code)

/** A name with a dot at its end is looked up as it is: no search domain of the host is tried. */
const absolute = (name: string): string => (name.endsWith('.') ? name : `${name}.`)

export const systemTxtResolver = (servers: readonly string[]): TxtResolver => ({
  txt: async (name) => {
    // One for each question, so that cancelling it is no other question's end.
    const asking = new NodeResolver({ timeout: TRY_MS, tries: TRIES })
    if (servers.length > 0) asking.setServers([...servers])
    const deadline = setTimeout(() => asking.cancel(), DEADLINE_MS)
    try {
      const records = await asking.resolveTxt(absolute(name))
      return records.slice(0, MAX_TXT_RECORDS).map((parts) => parts.join(''))
    } catch (error) {
      return NONE.has(codeOf(error)) ? 'none' : 'unreachable'
    } finally {
      clearTimeout(deadline)
    }
  },
})
