// Checks dependencies offline against rules: licences, package digests, actions pinned to commits. Part of `npm run check`; with `--sbom FILE` it writes
// the bill of materials (CycloneDX) of what ships.
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

export type Package = {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly dev?: boolean
  readonly devOptional?: boolean
  readonly link?: boolean
}
export type Lockfile = { readonly packages: Readonly<Record<string, Package>> }

/** Licences of packages that ship: they require a notice, which is next to each bundle. */
const SHIPPED = new Set(['MIT', 'MIT-0', 'ISC', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'BlueOak-1.0.0', 'Unlicense', 'CC0-1.0'])
/** Licences of development tools, which do not ship: also licences that require sharing changes to their own files, and combinations of the above. */
const TOOLS = new Set([
  ...SHIPPED,
  'MPL-2.0',
  'CC-BY-4.0',
  'Python-2.0',
  'MIT OR Apache-2.0',
  '(MIT OR EUPL-1.1+)',
  '(MIT AND Zlib)',
  '(MIT OR CC0-1.0)',
  '(AFL-2.1 OR BSD-3-Clause)',
])
/** Exceptions, with the reason. */
const ARGUED: Readonly<Record<string, string>> = {
  'web-push': 'MPL-2.0: used as it is, no file of it changed; its source is named in the notices.',
}

const nameOf = (path: string): string => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
const isTool = ({ dev, devOptional }: Package): boolean => dev === true || devOptional === true

/** Only a version, or a version of a package under another name (`npm:`). */
const EXACT = /^(?:npm:[@\w./-]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/

/** The violations; empty if there are none. */
export const findingsOf = ({ packages }: Lockfile, manifest: Readonly<Record<string, unknown>>): readonly string[] => {
  const installed = Object.entries(packages).filter(([path, one]) => path !== '' && one.link !== true)
  const licences = installed.flatMap(([path, one]) => {
    const name = nameOf(path)
    if (one.license === undefined) return [`${name}: no licence is named`]
    if (isTool(one) ? TOOLS.has(one.license) : SHIPPED.has(one.license) || name in ARGUED) return []
    return [`${name}: ${one.license} is not allowed for ${isTool(one) ? 'a tool' : 'what ships'}`]
  })
  const digests = installed
    .filter(([, { integrity }]) => !integrity?.startsWith('sha512-'))
    .map(([path]) => `${nameOf(path)}: no sha512 digest in the lockfile`)
  const requested = { ...(manifest.dependencies as object), ...(manifest.devDependencies as object) } as Readonly<Record<string, string>>
  const loose = Object.entries(requested).flatMap(([name, version]) => (EXACT.test(version) ? [] : [`${name}: ${version} is no exact version`]))
  return [...licences, ...digests, ...loose]
}

/** Actions are pinned to the reviewed commit, with the version in a comment. */
export const unpinnedActions = (workflow: string): readonly string[] =>
  [...workflow.matchAll(/^\s*-?\s*uses:\s*(\S+)(.*)$/gm)].flatMap(([, action = '', rest = '']) =>
    /@[0-9a-f]{40}$/.test(action) && /#\s*v\d/.test(rest) ? [] : [`${action}: must be pinned to a commit, with its version in a comment`],
  )

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (file: string): string => readFileSync(`${ROOT}${file}`, 'utf8')

type Ref = { readonly ref: string; readonly dependsOn?: readonly string[] }
type Bom = {
  serialNumber?: string
  metadata: { timestamp?: string; component: { name: string } }
  components: readonly { readonly name: string; readonly version: string; readonly 'bom-ref': string }[]
  dependencies: readonly Ref[]
}
/** The packages that ship, as npm describes them, without fields that vary between runs: the same lockfile gives the same bill. npm's own `--omit dev` also drops packages that tools share. */
export const billOfMaterials = (): Bom => {
  const text = execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 })
  const bom = JSON.parse(text) as Bom
  delete bom.serialNumber
  delete bom.metadata.timestamp
  bom.metadata.component.name = 'authsec-serverless'
  const { packages } = JSON.parse(read('package-lock.json')) as Lockfile
  const ships = new Set(Object.entries(packages).flatMap(([path, one]) => (path === '' || isTool(one) ? [] : [`${nameOf(path)}@${one.version}`])))
  bom.components = bom.components.filter(({ name, version }) => ships.has(`${name}@${version}`))
  const refs = new Set(bom.components.map((one) => one['bom-ref']))
  const root = bom.dependencies[0]?.ref
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref) || ref === root)
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }))
  return bom
}

const main = (sbom: string | undefined): void => {
  const workflows = readdirSync(`${ROOT}.github/workflows`).flatMap((file) => unpinnedActions(read(`.github/workflows/${file}`)))
  const findings = [
    ...findingsOf(JSON.parse(read('package-lock.json')) as Lockfile, JSON.parse(read('package.json')) as Record<string, unknown>),
    ...workflows,
  ]
  for (const finding of findings) console.error(finding)
  if (findings.length > 0) process.exitCode = 1
  if (sbom !== undefined) writeFileSync(sbom, `${JSON.stringify(billOfMaterials(), null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(parseArgs({ options: { sbom: { type: 'string' } } }).values.sbom)
