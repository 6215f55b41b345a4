// Every function as it ships, in its own process, with events of the gateways: it starts, answers, survives being frozen, and shares only the
// database and the cache with its other instances.
import type { AddressInfo } from 'node:net'
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import pg from 'pg'
import { SMTPServer } from 'smtp-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '#shared/kernel/clock'
import { auditWatermark } from '#shared/platform/audit/watermark'
import { awsSecrets } from '#shared/platform/secrets/aws'
import { PASSWORD } from '../support/app.ts'
import { AWS_ENVIRONMENT, startAws } from '../support/aws.ts'
import { albEvent, answerOf, httpApiEvent, type LambdaCall } from './events.ts'
import type { LambdaProcess } from './runtime.ts'
import { type LambdaSystem, startLambdaSystem } from './system.ts'

let system: LambdaSystem
beforeAll(async () => {
  system = await startLambdaSystem()
})
afterAll(() => system.stop())

const call = async (process: LambdaProcess, what: LambdaCall) => answerOf(await process.invoke(httpApiEvent(what)))
const json = { 'content-type': 'application/json' }
let addresses = 0
/** An administrator and an address of its own for each test; otherwise tests would share rate limits. */
const newSignIn = async () => {
  const { email } = await system.person('admin')
  const sourceIp = `203.0.113.${++addresses}`
  const signInWith = (password: string, more: Partial<LambdaCall> = {}): LambdaCall => ({
    method: 'POST',
    path: '/authsec/uflow/auth/admin/login',
    headers: json,
    body: JSON.stringify({ email, password, tenant_domain: system.company.domain }),
    sourceIp,
    ...more,
  })
  return { with: signInWith, sourceIp }
}

test('an administrator signs in at one function and is recognised by another', async () => {
  const signIn = await newSignIn()
  const [auth, account] = await Promise.all([system.start('auth'), system.start('account')])
  const signedIn = await call(auth, signIn.with(PASSWORD))
  expect(signedIn.statusCode, signedIn.text + auth.log()).toBe(200)
  expect(signedIn.cookies.join()).toContain('__Host-authsec_device=')
  const { token } = JSON.parse(signedIn.text) as { token: string }
  const sessions = await call(account, { path: '/account/sessions', headers: { authorization: `Bearer ${token}` } })
  expect(sessions.statusCode, sessions.text).toBe(200)
  expect(sessions.text).toContain(`"${signIn.sourceIp}"`)
})

test('a load balancer gets the same response, with each cookie in its own header', async () => {
  const signIn = await newSignIn()
  const auth = await system.start('auth', { TRUSTED_PROXIES: '10.0.0.0/8' })
  for (const multiValue of [true, false]) {
    const raw = await auth.invoke(albEvent(signIn.with('wrong'), multiValue))
    expect(answerOf(raw).statusCode, auth.log()).toBe(401)
    const right = answerOf(await auth.invoke(albEvent(signIn.with(PASSWORD), multiValue)))
    expect(right.statusCode, right.text).toBe(200)
    expect(right.cookies.length).toBeGreaterThan(0)
  }
})

test('a forwarded address that the caller wrote is ignored', async () => {
  const signIn = await newSignIn()
  const [auth, account] = await Promise.all([system.start('auth'), system.start('account')])
  const spoofed = await call(
    auth,
    signIn.with(PASSWORD, { headers: { ...json, 'x-forwarded-for': '198.51.100.66', forwarded: 'for=198.51.100.66' } }),
  )
  const { token } = JSON.parse(spoofed.text) as { token: string }
  const { text } = await call(account, { path: '/account/sessions', headers: { authorization: `Bearer ${token}` } })
  expect(text).toContain(`"${signIn.sourceIp}"`)
  expect(text).not.toContain('198.51.100.66')
})

test('an instance that was frozen while its connections were closed answers when it is thawed', async () => {
  const signIn = await newSignIn()
  const auth = await system.start('auth')
  expect((await call(auth, signIn.with(PASSWORD))).statusCode).toBe(200)
  auth.freeze()
  const client = new pg.Client({ connectionString: system.url })
  await client.connect()
  const { rowCount } = await client.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'authsec_app'",
  )
  await client.end()
  expect(rowCount).toBeGreaterThan(0)
  auth.thaw()
  const answer = await call(auth, signIn.with(PASSWORD))
  expect(answer.statusCode, auth.log()).toBe(200)
})

test('a request that takes too long is answered before the function’s own timeout, and the instance continues', async () => {
  const token = await system.token(await system.person())
  const account = await system.start('account', { REQUEST_SECONDS: '1' })
  const listSessions: LambdaCall = { path: '/account/sessions', headers: { authorization: `Bearer ${token}` } }
  const holder = new pg.Client({ connectionString: system.url })
  await holder.connect()
  try {
    await holder.query('begin; lock table authsec.sessions in access exclusive mode')
    const late = await call(account, listSessions)
    expect([late.statusCode, JSON.parse(late.text)], account.log()).toEqual([408, expect.objectContaining({ code: 'timeout' })])
  } finally {
    await holder.query('rollback')
    await holder.end()
  }
  expect((await call(account, listSessions)).statusCode, account.log()).toBe(200)
})

test('an instance that times out is killed and leaves no partial change; the next one completes it', async () => {
  const token = await system.token(await system.person('admin'))
  const body = JSON.stringify({ tenant_id: system.company.tenantId, groups: ['out-of-time'] })
  const add: LambdaCall = { method: 'POST', path: '/authsec/uflow/admin/groups', headers: { ...json, authorization: `Bearer ${token}` }, body }
  const client = new pg.Client({ connectionString: system.url })
  await client.connect()
  const there = async (): Promise<number> =>
    Number((await client.query("select count(*) from authsec.groups where name = 'out-of-time'")).rows[0]?.count)
  try {
    const first = await system.start('admin')
    expect((await call(first, { ...add, body: '{' })).statusCode).toBe(400)
    // The group can be written, but not its audit event: the transaction is open when the function is killed.
    await client.query('begin; lock table authsec.audit_events in exclusive mode')
    await expect(first.invoke(httpApiEvent(add), 3000)).rejects.toThrow('Task timed out after 3000 ms')
    await client.query('rollback')
    expect(await there()).toBe(0)
    const second = await system.start('admin')
    const answer = await call(second, add)
    expect(answer.statusCode, answer.text).toBe(200)
    expect(await there()).toBe(1)
  } finally {
    await client.end()
  }
})

test('an instance that is frozen during a change blocks other callers for at most ten seconds', async () => {
  const token = await system.token(await system.person('admin'))
  const body = JSON.stringify({ tenant_id: system.company.tenantId, groups: ['of both'] })
  const add: LambdaCall = { method: 'POST', path: '/authsec/uflow/admin/groups', headers: { ...json, authorization: `Bearer ${token}` }, body }
  const client = new pg.Client({ connectionString: system.url })
  await client.connect()
  try {
    const [frozen, next] = await Promise.all([system.start('admin', { REQUEST_SECONDS: '1' }), system.start('admin')])
    expect((await call(frozen, { ...add, body: '{' })).statusCode).toBe(400)
    await client.query('begin; lock table authsec.audit_events in exclusive mode')
    expect((await call(frozen, add)).statusCode, frozen.log()).toBe(408)
    frozen.freeze()
    // The lock was released while the instance is frozen: its group is uncommitted and invisible, and blocks other writers of the name.
    await client.query('rollback')
    const answer = await call(next, add)
    expect(answer.statusCode, answer.text + next.log()).toBe(200)
    expect(await auditWatermark({ ...system.app.ctx, clock: systemClock })).toBeDefined()
    frozen.thaw()
    expect((await call(frozen, add)).statusCode, frozen.log()).toBe(200)
    const { rows } = await client.query("select count(*)::int as count from authsec.groups where name = 'of both'")
    expect(rows).toEqual([{ count: 1 }])
  } finally {
    await client.end()
  }
})

test('of two instances that receive the same ticket concurrently one issues a token', async () => {
  const [one, two] = await Promise.all([system.start('auth'), system.start('auth')])
  const userSignIn = await system.start('user-sign-in')
  const person = await system.person()
  const body = JSON.stringify({ client_id: system.company.clientId, email: person.email, password: PASSWORD })
  const first = await call(userSignIn, { method: 'POST', path: '/authsec/uflow/user/login', headers: json, body })
  const { login_ticket } = JSON.parse(first.text) as { login_ticket: string }
  const mint: LambdaCall = {
    method: 'POST',
    path: '/authsec/uflow/auth/enduser/webauthn-callback',
    headers: json,
    body: JSON.stringify({ email: person.email, tenant_id: system.company.tenantId, mfa_verified: true, login_ticket }),
  }
  const answers = await Promise.all([one, two, one, two].map((process) => call(process, mint)))
  expect(answers.map(({ statusCode }) => statusCode).toSorted()).toEqual([200, 401, 401, 401])
})

test('a session revoked at one instance is refused at another within two seconds', async () => {
  const [one, two] = await Promise.all([system.start('account'), system.start('account')])
  const token = await system.token(await system.person())
  const listSessions: LambdaCall = { path: '/account/sessions', headers: { authorization: `Bearer ${token}` } }
  expect((await call(two, listSessions)).statusCode).toBe(200)
  const [current] = (JSON.parse((await call(one, listSessions)).text) as { sessions: { id: string }[] }).sessions
  const ended = await call(one, { method: 'DELETE', path: `/account/sessions/${current?.id}`, headers: listSessions.headers ?? {} })
  expect(ended.statusCode, ended.text).toBe(204)
  await new Promise((resolve) => setTimeout(resolve, 2000))
  expect((await call(two, listSessions)).statusCode).toBe(401)
})

test('a body over the limit, an unknown method and malformed JSON are client errors', async () => {
  const signIn = await newSignIn()
  const auth = await system.start('auth')
  expect((await call(auth, signIn.with(PASSWORD, { body: 'x'.repeat(5_000_000) }))).statusCode).toBe(413)
  expect((await call(auth, signIn.with(PASSWORD, { body: '{' }))).statusCode).toBe(400)
  expect((await call(auth, signIn.with(PASSWORD, { method: 'PUT' }))).statusCode).toBe(405)
})

test('an event that is not HTTP is refused, and the next request is served', async () => {
  const auth = await system.start('auth')
  await expect(auth.invoke({ Records: [{ eventSource: 'aws:sqs', body: '{}' }] })).rejects.toThrow('This function only accepts HTTP events.')
  expect((await call(auth, { path: '/authsec/uflow/auth/admin/challenge' })).statusCode).toBe(200)
})

test('a missing or malformed variable stops the start with one line that names it', async () => {
  const missing = await system.start('auth', { REDIS_URL: '' })
  expect(await missing.initFailed).toMatchObject({ errorMessage: 'REDIS_URL: must be set in production' })
  const malformed = await system.start('auth', { MASTER_KEYS: 'm1:short' })
  const { errorMessage } = await malformed.initFailed
  expect(errorMessage).toMatch(/^MASTER_KEYS/)
  expect(errorMessage).not.toContain('short')
})

test.each(['wellknown', 'oauth', 'scheduled', 'outbox', 'upgrade'])(
  '%s: a malformed variable stops the start of every kind of function',
  async (name) => {
    for (const [variable, value] of [
      ['DATABASE_URL', ''],
      ['HASH_KEY', 'short'],
      ['DATABASE_POOL', 'many'],
      ['RATE_LIMIT', 'off'],
    ] as const) {
      const { errorMessage } = await (await system.start(name, { DATABASE_OWNER_URL: system.url, [variable]: value })).initFailed
      expect(errorMessage).toMatch(new RegExp(`^${variable}: `))
      expect(errorMessage).not.toContain('\n')
    }
  },
)

test('the outbox function runs its tasks and leaves a poisoned message in the queue', async () => {
  const outbox = await system.start('outbox')
  const record = (messageId: string, body: string) => ({ messageId, body, eventSource: 'aws:sqs' })
  const event = { Records: [record('good', '{"errand":"outbox"}'), record('poisoned', '{"errand":')] }
  expect(await outbox.invoke(event), outbox.log()).toEqual({ batchItemFailures: [{ itemIdentifier: 'poisoned' }] })
  await expect(outbox.invoke(httpApiEvent({ path: '/' }))).rejects.toThrow('This function accepts only events of its queue.')
})

test('a function reads its secrets from the store by name, and names a missing one', async () => {
  const aws = await startAws()
  try {
    const prefix = 'authsec/lambda'
    const names = ['DATABASE_URL', 'REDIS_URL', 'MASTER_KEYS', 'HASH_KEY'] as const
    const kept = awsSecrets({ prefix, endpoint: aws.endpoint })
    for (const name of names) await kept.write(name, system.env[name] ?? '')
    const variables = {
      ...Object.fromEntries(names.map((name) => [name, ''])),
      ...AWS_ENVIRONMENT,
      AWS_ENDPOINT_URL: aws.endpoint,
      SECRETS_MANAGER_PREFIX: prefix,
      SECRETS_MANAGER_NAMES: names.join(),
    }
    const wellknown = await system.start('wellknown', variables)
    const keySet = call(wellknown, { path: '/.well-known/jwks.json' })
    const keys = await Promise.race([keySet, wellknown.initFailed.then(({ errorMessage }) => ({ statusCode: 0, text: errorMessage }))])
    expect(keys.statusCode, keys.text + wellknown.log()).toBe(200)
    const missing = await system.start('wellknown', { ...variables, SECRETS_MANAGER_NAMES: `${names.join()},JWT_DEF_SECRET` })
    expect((await missing.initFailed).errorMessage).toBe('JWT_DEF_SECRET: is not in Secrets Manager, below authsec/lambda')
  } finally {
    await aws.stop()
  }
})

test('pending mail goes through the queue to the mail server, from function to function', async () => {
  const aws = await startAws()
  const received: string[] = []
  const sink = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData: (stream, session, done) => {
      received.push(...session.envelope.rcptTo.map(({ address }) => address))
      stream.on('end', () => done()).resume()
    },
  })
  await new Promise<void>((resolve) => sink.listen(0, '127.0.0.1', resolve))
  try {
    const { port } = sink.server.address() as AddressInfo
    const sqs = new SQSClient({ endpoint: aws.endpoint })
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'lambda-tasks' }))
    const more = { ...AWS_ENVIRONMENT, AWS_ENDPOINT_URL: aws.endpoint, TASK_QUEUE_URL: QueueUrl, SMTP_URL: `smtp://127.0.0.1:${port}` }
    const [auth, outbox] = await Promise.all([system.start('auth', more), system.start('outbox', more)])
    const { email } = await system.person('admin')
    const body = JSON.stringify({ email, tenant_domain: system.company.domain })
    const requested = await call(auth, {
      method: 'POST',
      path: '/authsec/uflow/auth/admin/forgot-password',
      headers: json,
      body,
      sourceIp: '203.0.113.250',
    })
    expect(requested.statusCode, requested.text).toBe(200)
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }))
    expect(
      Messages.map(({ Body }) => Body),
      auth.log(),
    ).toEqual(['{"errand":"outbox"}'])
    const event = { Records: Messages.map(({ MessageId, Body }) => ({ messageId: MessageId, body: Body })) }
    expect(await outbox.invoke(event), outbox.log()).toEqual({ batchItemFailures: [] })
    expect(received).toContain(email)
  } finally {
    await aws.stop()
    await new Promise<void>((resolve) => sink.close(() => resolve()))
  }
})

test('the upgrade function accepts only the deployment’s event, and changes nothing that is up to date', async () => {
  const upgrade = await system.start('upgrade', { DATABASE_OWNER_URL: system.url, DATABASE_POOL: '2' })
  expect(await upgrade.invoke({ upgrade: 'release' }), upgrade.log()).toMatchObject({ applied: [], administrator: 'not named' })
  await expect(upgrade.invoke(httpApiEvent({ path: '/' }))).rejects.toThrow('Only the deployment invokes this function.')
  expect((await (await system.start('upgrade')).initFailed).errorMessage).toBe('DATABASE_OWNER_URL: must be set')
})

test('the scheduled function runs the named job under its lease, and refuses an unknown one', async () => {
  const scheduled = await system.start('scheduled')
  expect(await scheduled.invoke({ job: 'expiry' }), scheduled.log()).toMatchObject({ outcome: 'done' })
  expect(await scheduled.invoke({ job: 'expiry' })).toEqual({ outcome: 'skipped' })
  await expect(scheduled.invoke({ job: 'no-such-job' })).rejects.toThrow('This function accepts only the name of a job.')
  await expect(scheduled.invoke(null)).rejects.toThrow('This function accepts only the name of a job.')
})
