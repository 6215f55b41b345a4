// A local stand-in for Lambda: an HTTP server that implements the Runtime API, and one process per function that requests events from it, as in the service: one event at a
// time, frozen in between, killed on timeout.
import { type ChildProcess, spawn } from 'node:child_process'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, isIP } from 'node:net'
import { fileURLToPath } from 'node:url'

export type Failure = { readonly errorType: string; readonly errorMessage: string }
export class InvocationFailed extends Error {
  readonly failure: Failure
  constructor(failure: Failure) {
    super(`${failure.errorType}: ${failure.errorMessage}`)
    this.failure = failure
  }
}

type Invocation = {
  readonly event: unknown
  readonly deadline: number
  resolve(result: unknown): void
  reject(error: Error): void
}

export type LambdaProcess = {
  /** Sends an event and waits for the handler's result. @throws InvocationFailed */
  invoke(event: unknown, timeoutMs?: number): Promise<unknown>
  /** Freezes the process where it is, as the service does between two events. */
  freeze(): void
  thaw(): void
  /** The log output. */
  log(): string
  /** Resolves with the failure of a function that could not start. */
  readonly initFailed: Promise<Failure>
  /** Peak resident memory in KiB. */
  peakKib(): Promise<number>
  /** Processor time used, in steps of ten milliseconds; work of other processes is not included. */
  cpuMs(): Promise<number>
  stop(): Promise<void>
}

const read = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString('utf8') || 'null')
}

const BOOTSTRAP = fileURLToPath(new URL('./bootstrap.mjs', import.meta.url))
const START_MS = 30_000
let counter = 0

/** Events that wait for the process, and the event that it is processing. */
const invocations = () => {
  const waiting: [string, Invocation][] = []
  const busy = new Map<string, Invocation>()
  let pending: ServerResponse | undefined
  const deliver = (): void => {
    const next = pending === undefined ? undefined : waiting.shift()
    if (pending === undefined || next === undefined) return
    const [id, invocation] = next
    busy.set(id, invocation)
    pending.writeHead(200, {
      'content-type': 'application/json',
      'lambda-runtime-aws-request-id': id,
      'lambda-runtime-deadline-ms': String(invocation.deadline),
    })
    pending.end(JSON.stringify(invocation.event))
    pending = undefined
  }
  return {
    add: (invocation: Invocation) => {
      waiting.push([`event-${++counter}`, invocation])
      deliver()
    },
    next: (response: ServerResponse) => {
      pending = response
      deliver()
    },
    end: (id: string): Invocation | undefined => {
      const invocation = busy.get(id)
      busy.delete(id)
      return invocation
    },
    failAll: (error: Error) => {
      for (const invocation of [...busy.values(), ...waiting.map(([, one]) => one)]) invocation.reject(error)
      busy.clear()
      waiting.length = 0
    },
  }
}

const peakOf = async (child: ChildProcess): Promise<number> => {
  const { readFile } = await import('node:fs/promises')
  return Number(/VmHWM:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8'))?.[1])
}

/** Times are in ticks, a hundred per second on Linux. */
const cpuOf = async (child: ChildProcess): Promise<number> => {
  const { readFile } = await import('node:fs/promises')
  const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).replace(/^.*\) /, '').split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/** Starts a built bundle in its own process. Only the variables in `env` reach it. */
export const startLambda = async (bundle: string, env: Readonly<Record<string, string>>): Promise<LambdaProcess> => {
  const queue = invocations()
  let failInit: (failure: Failure) => void = () => undefined
  const initFailed = new Promise<Failure>((resolve) => {
    failInit = resolve
  })
  const server = createServer(async (request, response) => {
    const [, what, id, how] = /^\/2018-06-01\/runtime\/(invocation|init)\/([\w-]+)(?:\/(\w+))?$/.exec(request.url ?? '') ?? []
    if (what === 'invocation' && id === 'next') return queue.next(response)
    const body = await read(request)
    if (what === 'init') failInit(body as Failure)
    else if (how === 'response') queue.end(id ?? '')?.resolve(body)
    else queue.end(id ?? '')?.reject(new InvocationFailed(body as Failure))
    response.writeHead(202).end()
  })
  // A frozen process would find its idle connections closed, and lose its next result with them.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { address, port } = server.address() as AddressInfo
  if (isIP(address) === 0) throw new Error('no address')
  const child = spawn(process.execPath, [BOOTSTRAP, bundle], {
    env: { PATH: process.env.PATH ?? '', TZ: 'UTC', AWS_LAMBDA_FUNCTION_NAME: 'authsec-test', AWS_LAMBDA_RUNTIME_API: `${address}:${port}`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (written += chunk.toString('utf8')))
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  void exited.then(() => queue.failAll(new Error(`the process ended: ${written.slice(-2000)}`)))
  return {
    invoke: (event, timeoutMs = START_MS) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          child.kill('SIGKILL')
          reject(new Error(`Task timed out after ${timeoutMs} ms: ${written.slice(-2000)}`))
        }, timeoutMs)
        const settled =
          <T>(then: (value: T) => void) =>
          (value: T): void => {
            clearTimeout(timer)
            then(value)
          }
        queue.add({ event, deadline: Date.now() + timeoutMs, resolve: settled(resolve), reject: settled(reject) })
      }),
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    log: () => written,
    initFailed,
    peakKib: () => peakOf(child),
    cpuMs: () => cpuOf(child),
    stop: async () => {
      child.kill('SIGCONT')
      child.kill('SIGKILL')
      await exited
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
