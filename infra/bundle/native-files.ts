// argon2's native file for the platform that functions run on, which is seldom the one that builds them. It is what the lockfile names, or nothing: taken from
// node_modules where this machine is that platform, else fetched and held to the lockfile's digest.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PACKAGE = '@node-rs/argon2'

type Locked = { readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string } | undefined>> }

/** What the lockfile says of an installed package. */
const lockedOf = (name: string): { readonly version: string; readonly integrity: string } => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as Locked
  const { version, integrity } = packages[`node_modules/${name}`] ?? {}
  if (version === undefined || integrity === undefined) throw new Error(`The lockfile knows no ${name}: is there such a platform?`)
  return { version, integrity }
}

/** @throws Error when the archive is not the one that the lockfile names */
export const requireIntegrity = (name: string, archive: Uint8Array, integrity: string): void => {
  const found = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  if (found !== integrity) throw new Error(`${name} is not what the lockfile names: ${found}`)
}

const fetched = (name: string, into: string): void => {
  const { version, integrity } = lockedOf(name)
  const folder = mkdtempSync(join(tmpdir(), 'authsec-native-'))
  try {
    execFileSync('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', folder], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const [archive] = readdirSync(folder)
    if (archive === undefined) throw new Error(`${name}@${version} could not be fetched`)
    requireIntegrity(name, readFileSync(join(folder, archive)), integrity)
    mkdirSync(into, { recursive: true })
    execFileSync('tar', ['-xzf', join(folder, archive), '-C', into, '--strip-components=1'])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** `platform` as the package spells it: `linux-arm64-gnu`, `linux-x64-gnu`, … */
export const nativeFiles = (platform: string): { copyTo(folder: string): void } => {
  const name = `${PACKAGE}-${platform}`
  const installed = join(ROOT, 'node_modules', name)
  let from = installed
  if (!existsSync(installed)) {
    from = mkdtempSync(join(tmpdir(), 'authsec-native-'))
    fetched(name, from)
  }
  return {
    copyTo: (folder) => {
      for (const [source, target] of [
        [join(ROOT, 'node_modules', PACKAGE), PACKAGE],
        [from, name],
      ] as const) {
        cpSync(source, join(folder, 'node_modules', target), { recursive: true, dereference: true })
      }
    },
  }
}
