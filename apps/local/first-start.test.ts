// What a start prints for the person who waits for it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { start } from './local.ts'

test('every start names the sign-in page, and the root leads there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'first-'))
  try {
    for (const isFirst of [true, false]) {
      const printed: string[] = []
      const running = await start({ ENVIRONMENT: 'test', PORT: '0', BASE_URL: 'http://localhost:7468', DATA_DIR: folder }, (text) =>
        printed.push(text),
      )
      try {
        expect(printed.join('\n')).toContain('Sign in here: http://localhost:7468/signin')
        expect(printed.join('\n').includes('Administrator')).toBe(isFirst)
        const root = await fetch(`${running.url}/`, { redirect: 'manual' })
        expect([root.status, root.headers.get('location')]).toEqual([303, '/signin'])
        expect(await (await fetch(`${running.url}/local`)).text()).toContain('href="/signin"')
      } finally {
        await running.stop()
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}, 60_000)
