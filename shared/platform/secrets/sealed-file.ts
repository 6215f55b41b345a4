// Secrets of local mode, in a folder: `secrets.sealed`, encrypted with the key in `secrets.key`. Whoever holds both files holds the secrets; what the seal
// gives is that a copy of one of them is worth nothing, and that a damaged file is noticed. One process at a time owns the folder.
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

const ifThere = async (path: string): Promise<Uint8Array | undefined> => {
  try {
    return await readFile(path)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined
    throw error
  }
}

/** Whole or not at all, and on the disk before it counts. */
const placed = async (folder: string, name: string, bytes: Uint8Array, random: Random, place: (from: string, to: string) => Promise<void>) => {
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

/** A link, unlike a rename, fails when the name is taken: of two that make a key at once, both use the first one's. */
const linkUnlessThere = (from: string, to: string): Promise<void> =>
  link(from, to).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'EEXIST') throw error
  })

export const sealedFileSecrets = (folder: string, random: Random): Secrets => {
  const sealedPath = join(folder, 'secrets.sealed')
  const keyPath = join(folder, 'secrets.key')

  const key = async (): Promise<SealKey> => {
    let raw = await ifThere(keyPath)
    if (raw === undefined) {
      if ((await ifThere(sealedPath)) !== undefined) throw new Error(`${sealedPath} is there, but its key ${keyPath} is missing.`)
      await mkdir(folder, { recursive: true, mode: FOLDER_OWNER_ONLY })
      await placed(folder, 'secrets.key', random.bytes(KEY_BYTES), random, linkUnlessThere)
      raw = await readFile(keyPath)
    }
    if (raw.length !== KEY_BYTES) throw new Error(`${keyPath} is damaged.`)
    return importSealKey(KEY_ID, raw)
  }

  const readAll = async (): Promise<Texts> => {
    const sealed = await ifThere(sealedPath)
    if (sealed === undefined) return {}
    return JSON.parse(new TextDecoder().decode(await unseal(await key(), sealed, BINDING)))
  }

  // Writers queue, or the later one would write back what it read before the earlier one.
  let last: Promise<unknown> = Promise.resolve()
  const write = async (name: SecretName, value: string): Promise<void> => {
    const all = JSON.stringify({ ...(await readAll()), [name]: value })
    await placed(folder, 'secrets.sealed', await seal(random, await key(), new TextEncoder().encode(all), BINDING), random, rename)
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
