// Two builds of the same sources are the same bytes, wherever they are written, and say nothing of the machine that made them.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bundle } from './build.ts'
import { requireIntegrity } from './native-files.ts'

const digestsOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name)
      return `${path.slice(folder.length)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`
    })
    .toSorted()

test.each(['auth', 'oauth', 'webauthn', 'scheduled'])('%s is built twice to the same bytes', async (name) => {
  const folders = [mkdtempSync(join(tmpdir(), 'authsec-one-')), mkdtempSync(join(tmpdir(), 'authsec-another-longer-'))]
  try {
    const [first, second] = await Promise.all(folders.map(async (folder) => bundle(name, folder).then(() => digestsOf(folder))))
    expect(first?.length).toBeGreaterThan(3)
    expect(second).toEqual(first)
    for (const entry of readdirSync(folders[0] ?? '')) {
      const text = readFileSync(join(folders[0] ?? '', entry), 'utf8')
      expect(text.includes(process.cwd()), entry).toBe(false)
    }
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true })
  }
})

test('a native file that the lockfile does not name is refused', () => {
  const archive = new TextEncoder().encode('somebody else’s')
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`
  expect(() => requireIntegrity('x', archive, integrity)).not.toThrow()
  expect(() => requireIntegrity('x', new Uint8Array([...archive, 0]), integrity)).toThrow(/is not what the lockfile names/)
})
