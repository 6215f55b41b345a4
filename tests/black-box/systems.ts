// The same system twice, each on its own PostgreSQL database and Redis: every function as it ships, one process each behind the Runtime API with a gateway in
// front, in production; and `npm run dev`.
import { spawn } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'
import { manifest } from '../../infra/manifest.ts'
import { startGateway } from '../lambda/gateway.ts'
import { startLambdaSystem } from '../lambda/system.ts'
import { freePort } from '../peers/free-port.ts'
import { METRICS_TOKEN, ROUTES } from '../routes/every-route.ts'
import type { Company, TestApp } from '../support/app.ts'
import { type BoxAnswer, type BoxRequest, sendRequest } from './answers.ts'

export type Box = {
  readonly name: 'functions' | 'local'
  /** An app on the same database, to prepare tests. */
  readonly app: TestApp
  readonly company: Company
  send(request: BoxRequest): Promise<BoxAnswer>
  /** Sent mails, after pending messages were sent. */
  mailsTo(address: string): Promise<readonly string[]>
  /** Groups that answered a request. */
  readonly started: ReadonlySet<string>
  /** The output of the processes, for failures. */
  log(group: string): string
  close(): Promise<void>
}

/** Test data is prepared with the machine's clock, as the processes read it. */
const onTime = (app: TestApp): TestApp => {
  app.clock.set(new Date())
  return app
}

const startSink = async () => {
  const received: { readonly to: string; readonly text: string }[] = []
  const sink = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, session, done) => {
      let text = ''
      stream.setEncoding('utf8')
      stream.on('data', (chunk: string) => {
        text += chunk
      })
      stream.on('end', () => {
        for (const { address } of session.envelope.rcptTo) received.push({ to: address, text })
        done()
      })
    },
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  const { port } = sink.server.address() as AddressInfo
  return { received, url: `smtp://127.0.0.1:${port}`, close: () => new Promise<void>((resolve) => sink.close(() => resolve())) }
}

const settings = (database: number, smtp: string) => ({
  METRICS_TOKEN,
  SMTP_URL: smtp,
  REDIS_URL: new URL(`/${database}`, process.env.TEST_REDIS_URL).href,
  // Callers of these tests state that they used TLS.
  TRUSTED_PROXIES: '127.0.0.0/8',
})

const routes = ROUTES.map(({ route }) => route)

const functions = async (): Promise<Box> => {
  const sink = await startSink()
  const system = await startLambdaSystem(routes, settings(7, sink.url))
  // The scheduled jobs run once, as they do when a long-running process starts.
  const scheduled = await system.start('scheduled', { DATABASE_OWNER_URL: system.url })
  for (const { id } of manifest().jobs) await scheduled.invoke({ job: id })
  await scheduled.stop()
  const gateway = await startGateway(system.start)
  return {
    name: 'functions',
    get app() {
      return onTime(system.app)
    },
    company: system.company,
    send: (request) => sendRequest(gateway.port, request),
    started: gateway.started,
    log: gateway.log,
    mailsTo: async (address) => {
      const outbox = await system.start('outbox')
      await outbox.invoke({ Records: [{ messageId: 'one', body: '{"errand":"outbox"}', eventSource: 'aws:sqs' }] })
      await outbox.stop()
      return sink.received.flatMap(({ to, text }) => (to === address ? [text] : []))
    },
    close: async () => {
      await gateway.close()
      await system.stop()
      await sink.close()
    },
  }
}

const local = async (): Promise<Box> => {
  const sink = await startSink()
  const system = await startLambdaSystem(routes, settings(8, sink.url))
  const { ENVIRONMENT: _, ...env } = system.env
  const port = await freePort()
  const child = spawn(process.execPath, ['--import', 'tsx', 'apps/local/local.ts'], {
    env: { PATH: process.env.PATH ?? '', TZ: 'UTC', PORT: String(port), ...env, DATABASE_OWNER_URL: system.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      written += chunk.toString('utf8')
    })
  }
  child.once('exit', (code, signal) => {
    written += `\nended with ${code ?? signal}`
  })
  const isUp = (): Promise<boolean> =>
    sendRequest(port, { path: '/health/ready' }).then(
      ({ status }) => status === 200,
      () => false,
    )
  while (!(await isUp())) {
    if (child.exitCode !== null) throw new Error(`the process did not start: ${written.slice(-2000)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return {
    name: 'local',
    get app() {
      return onTime(system.app)
    },
    company: system.company,
    send: (request) => sendRequest(port, request),
    started: new Set(),
    log: () => written,
    mailsTo: async (address) => {
      const sent = () => sink.received.flatMap(({ to, text }) => (to === address ? [text] : []))
      for (let tries = 0; tries < 100 && sent().length === 0; tries++) await new Promise((resolve) => setTimeout(resolve, 100))
      return sent()
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      if (child.exitCode === null && child.kill('SIGTERM')) await ended
      await system.stop()
      await sink.close()
    },
  }
}

export const startBoth = async (): Promise<readonly [Box, Box]> => [await functions(), await local()]
