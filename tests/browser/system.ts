// The whole local system with a Chromium, for tests of pages.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { start } from '../../apps/local/local.ts'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking']

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => (typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port'))))
    })
  })

/** A page, and what it did although it must not. */
export type Watched = {
  readonly page: Page
  readonly context: BrowserContext /** Requests that left the origin, errors of the console and of scripts. */
  readonly misdeeds: string[]
}

type Host = '127.0.0.1' | 'localhost'
/** `host` as browsers see it. Passkeys need a host name, because an IP address cannot be a relying party (WebAuthn Level 3 section 5.1.2). */
export const startSystem = async (host: Host = '127.0.0.1', env: Readonly<Record<string, string>> = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'pages-'))
  const port = await freePort()
  const base = `http://${host}:${port}`
  const running = await start(
    { ENVIRONMENT: 'test', PORT: String(port), BASE_URL: base, DATA_DIR: folder, RATE_LIMIT: 'off', ...env },
    () => undefined,
  )
  const browser: Browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS })
  return {
    base,
    ctx: running.ctx,
    open: async (options: BrowserContextOptions = {}): Promise<Watched> => {
      const context = await browser.newContext({ locale: 'en-GB', ...options })
      const page = await context.newPage()
      const misdeeds: string[] = []
      page.on('request', (request) => {
        const url = request.url()
        if (!url.startsWith(`${base}/`) && !url.startsWith('data:')) misdeeds.push(`request to ${url}`)
      })
      page.on('pageerror', (error) => misdeeds.push(`script: ${error.message}`))
      page.on('console', (message) => {
        // The browser logs every response of 400 and above by itself.
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) misdeeds.push(`console: ${message.text()}`)
      })
      return { page, context, misdeeds }
    },
    /** The text of the first captured mail to an address; waits for a running job to send it. */
    mailTo: async (address: string): Promise<string> => {
      for (let tries = 0; tries < 50; tries++) {
        const response = await fetch(`${base}/local/outbox`)
        const { messages } = (await response.json()) as { messages: { to: string; text: string }[] }
        const found = messages.find(({ to }) => to === address)
        if (found) return found.text
        await setTimeout(100)
      }
      throw new Error(`no mail to ${address}`)
    },
    stop: async (): Promise<void> => {
      await browser.close()
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
export type System = Awaited<ReturnType<typeof startSystem>>
