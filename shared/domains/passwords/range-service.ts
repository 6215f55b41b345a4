// Breached passwords by k-anonymity, in the format of Have I Been Pwned: the service learns five of forty hexadecimal digits, which about a thousand passwords share.
import { createHash } from 'node:crypto'
import type { Log } from '#shared/kernel/log'
import type { BreachedPasswords } from './breached.ts'

const TIMEOUT_MS = 2000
/** A padded answer has about 1,000 lines of 40 bytes. */
const MAX_BYTES = 512 * 1024

type Options = {
  /** Base URL; `/range/<prefix>` is appended. */
  readonly url: string
  /** Checked first, and the only check while the service is unavailable. */
  readonly shipped: BreachedPasswords
  readonly log: Pick<Log, 'warn'>
  readonly timeoutMs?: number
}

const readText = async (response: Response): Promise<string> => {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_BYTES) throw new Error('the answer is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** Whether the answer lists the suffix with a count above 0, which marks padding. Throws on a malformed line. */
const hasSuffix = (answer: string, suffix: string): boolean => {
  let found = false
  for (const line of answer.split(/\r?\n/)) {
    if (line === '') continue
    const [, listed, count] = /^([0-9A-F]{35}):(\d{1,12})$/i.exec(line) ?? []
    if (listed === undefined) throw new Error('the answer is not a list of suffixes and counts')
    if (listed.toUpperCase() === suffix && Number(count) > 0) found = true
  }
  return found
}

/**
 * Checks the bundled list, then the service: one attempt of two seconds, because a person waits for it.
 * @see https://haveibeenpwned.com/API/v3#PwnedPasswords
 */
export const rangeService = ({ url, shipped, log, timeoutMs = TIMEOUT_MS }: Options): BreachedPasswords => ({
  has: async (password) => {
    if (await shipped.has(password)) return true
    // The format requires SHA-1; it protects nothing here.
    const digest = createHash('sha1').update(password.normalize('NFC')).digest('hex').toUpperCase()
    try {
      const response = await fetch(`${url}/range/${digest.slice(0, 5)}`, {
        headers: { 'add-padding': 'true', 'user-agent': 'authsec-serverless' },
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (!response.ok) {
        await response.body?.cancel()
        throw new Error(`the service answered ${response.status}`)
      }
      return hasSuffix(await readText(response), digest.slice(5))
    } catch (error) {
      log.warn('breached_passwords.unavailable', { reason: error instanceof Error ? error.message : 'unknown' })
      return false
    }
  },
})
