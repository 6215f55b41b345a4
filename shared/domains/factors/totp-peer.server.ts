// oathtool as a peer: its codes are accepted here.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { codeOf, matchingStep, newSeed, stepAt } from './totp-code.ts'

const run = promisify(execFile)
const oathtool = async (seed: string, at: Date): Promise<string> => {
  const when = at.toISOString().replace('T', ' ').replace(/\..*$/, ' UTC')
  return (await run('oathtool', ['--totp', '--base32', '--now', when, seed])).stdout.trim()
}

test('oathtool computes the same codes', async () => {
  const random = systemRandom(fixedClock('2026-01-01T00:00:00Z'))
  for (let n = 0; n < 40; n++) {
    const seed = newSeed(random, n % 2 === 0 ? 20 : 32)
    const at = new Date(Date.UTC(2026, 10, 24) + n * 87_654_321)
    const code = await oathtool(seed, at)
    expect(await codeOf(seed, stepAt(at))).toBe(code)
    expect(await matchingStep(seed, code, at)).toBe(stepAt(at))
  }
})
