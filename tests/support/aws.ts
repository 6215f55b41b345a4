// An emulator of AWS on its own port: Debian's python3-moto. It accepts any credentials.
import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

export type Aws = { readonly endpoint: string; stop(): Promise<void> }

/** The environment variables that the SDK reads. */
export const AWS_ENVIRONMENT = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'emulated', AWS_SECRET_ACCESS_KEY: 'emulated' } as const

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

/** Debian's own: another `moto_server` on the path may belong to another interpreter. */
const MOTO = '/usr/bin/moto_server'
const TRIES = 300

export const startAws = async (): Promise<Aws> => {
  Object.assign(process.env, AWS_ENVIRONMENT)
  const port = await freePort()
  const child = spawn(MOTO, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const endpoint = `http://127.0.0.1:${port}`
  for (let tried = 0; tried < TRIES; tried++) {
    const answer = await fetch(`${endpoint}/moto-api/`).catch(() => undefined)
    if (answer?.ok) {
      return {
        endpoint,
        stop: () => {
          child.kill('SIGKILL')
          return ended
        },
      }
    }
    await wait(100)
  }
  child.kill('SIGKILL')
  throw new Error(`${MOTO} does not answer: is python3-moto installed?`)
}
