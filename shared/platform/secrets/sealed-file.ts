// Secrets of local mode, in a folder: `secrets.sealed`, encrypted with the key in `secrets.key`. Both files together reveal the secrets; a copy of
// only one is worthless, and a damaged file is detected. One process at a time owns the folder.
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '#shared/kernel/random'
import { importSealKey, KEY_BYTES, type SealKey, seal, unseal } from '#shared/platform/crypto/seal'
import type { SecretName, Secrets } from './secrets.ts'

const OWNER_ONLY = 0o600
const FOLDER_OWNER_ONLY = 0o700
const KEY_ID = new TextEncoder().encode('file')
const BINDING = ['secrets file']

type Texts = Readonly<Partial<Record<SecretName, string>>>

const readIfPresent = async (path: string): Promise<Uint8Array | undefined> => {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a file atomically and syncs it before it takes its name. */
const writeAtomically = async (
  folder: string,
  name: string,
  bytes: Uint8Array,
  random: Random,
  place: (from: string, to: string) => Promise<void>,
) => {
  const path = join(folder, name)
  const temporary = `${path}.${random.id()}`
  try {
    const file = await open(temporary, 'wx', OWNER_ONLY)
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await place(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}

/** A link, unlike a rename, fails when the name exists: of two processes that create a key concurrently, both use the first one's. */
const linkUnlessPresent = (from: string, to: string): Promise<void> =>
  link(from, to).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
  })

export const sealedFileSecrets = (folder: string, random: Random): Secrets => {
  const sealedPath = join(folder, 'secrets.sealed')
  const keyPath = join(folder, 'secrets.key')

  const key = async (): Promise<SealKey> => {
    let raw = await readIfPresent(keyPath)
    if (raw === undefined) {
      if ((await readIfPresent(sealedPath)) !== undefined) throw new Error(`${sealedPath} exists, but its key ${keyPath} is missing.`)
      await mkdir(folder, { recursive: true, mode: FOLDER_OWNER_ONLY })
      await writeAtomically(folder, 'secrets.key', random.bytes(KEY_BYTES), random, linkUnlessPresent)
      raw = await readFile(keyPath)
    }
    if (raw.length !== KEY_BYTES) throw new Error(`${keyPath} is damaged.`)
    return importSealKey(KEY_ID, raw)
  }

  const readAll = async (): Promise<Texts> => {
    const sealed = await readIfPresent(sealedPath)
    if (sealed === undefined) return {}
    return JSON.parse(new TextDecoder().decode(await unseal(await key(), sealed, BINDING)))
  }

  // Writes run one after another; otherwise a later one would overwrite an earlier one with stale data.
  let last: Promise<unknown> = Promise.resolve()
  const write = async (name: SecretName, value: string): Promise<void> => {
    const all = JSON.stringify({ ...(await readAll()), [name]: value })
    await writeAtomically(folder, 'secrets.sealed', await seal(random, await key(), new TextEncoder().encode(all), BINDING), random, rename)
  }

  return {
    read: async (name) => (await readAll())[name],
    write: (name, value) => {
      const done = last.then(() => write(name, value))
      last = done.catch(() => undefined)
      return done
    },
  }
}
