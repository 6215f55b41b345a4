import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { billOfMaterials, findingsOf, type Lockfile, type Package, unpinnedActions } from './supply-chain.ts'

const lockfile = JSON.parse(readFileSync('package-lock.json', 'utf8')) as Lockfile
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Record<string, unknown>
const withPackage = (one: Package): Lockfile => ({
  packages: { ...lockfile.packages, 'node_modules/more': { version: '1.0.0', license: 'MIT', integrity: 'sha512-x', ...one } },
})

test('the dependencies comply with the rules', () => {
  expect(findingsOf(lockfile, manifest)).toEqual([])
})

test.each([
  [{ license: 'GPL-3.0-only' }, /GPL-3.0-only is not allowed for what ships/],
  [{ license: 'MPL-2.0' }, /MPL-2.0 is not allowed for what ships/],
  [{ license: 'AGPL-3.0', dev: true }, /AGPL-3.0 is not allowed for a tool/],
  [{ integrity: 'sha1-x' }, /no sha512 digest/],
])('%o is reported', (one, says) => {
  expect(findingsOf(withPackage(one), manifest).join()).toMatch(says)
})

test('a version range and a package without a licence are reported', () => {
  expect(findingsOf(lockfile, { dependencies: { hono: '^4.0.0' } })).toEqual(['hono: ^4.0.0 is no exact version'])
  expect(findingsOf(lockfile, { dependencies: { tsc: 'npm:typescript@^7' } })).toEqual(['tsc: npm:typescript@^7 is no exact version'])
  const { license: _, ...bare } = withPackage({}).packages['node_modules/more'] ?? {}
  expect(findingsOf({ packages: { 'node_modules/more': bare } }, {})).toEqual(['more: no licence is named'])
})

test('every action of every workflow is pinned to a commit', () => {
  for (const file of readdirSync('.github/workflows')) {
    const text = readFileSync(`.github/workflows/${file}`, 'utf8')
    expect(text, file).toContain('uses:')
    expect(unpinnedActions(text), file).toEqual([])
  }
  expect(unpinnedActions('      - uses: actions/checkout@v5\n')).toHaveLength(1)
  expect(unpinnedActions(`      - uses: actions/checkout@${'a'.repeat(40)}\n`)).toHaveLength(1)
})

test('the bill of materials lists every package that ships, and is reproducible', () => {
  const bill = billOfMaterials()
  const named = new Set(bill.components.map(({ name }) => name))
  const shipped = Object.entries(lockfile.packages).filter(([path, one]) => path !== '' && one.dev !== true && one.devOptional !== true)
  const missing = shipped.map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)).filter((name) => !named.has(name))
  expect(missing).toEqual([])
  for (const tool of ['vitest', 'sst', 'esbuild']) expect(named.has(tool), tool).toBe(false)
  expect(JSON.stringify(billOfMaterials())).toBe(JSON.stringify(bill))
})
