// The deployment program, evaluated without a cloud: it declares exactly the functions, routes, jobs, secrets and permissions of the program.
import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { BaseConfig } from '#shared/kernel/config'
import { alarmsOf, COUNTED } from './alarms.ts'
import { builtFunctions } from './bundle/build.ts'
import { manifest } from './manifest.ts'
import { needsOf, SECRETS, type SecretVariable } from './needs.ts'
import { program } from './program.ts'
import { type Declared, record } from './recorder.ts'
import { chosenKey } from './routes.ts'
import { readSettings } from './settings.ts'

const OWNER = 'postgres://owner:s%40cret@db.example.com/authsec?sslmode=require'
const PRODUCTION = { DOMAIN: 'auth.example.com', PLATFORM_ADMIN_EMAIL: 'ops@example.com', EXTRA_SECRETS: 'TWILIO_AUTH_TOKEN,GOOGLE_CLIENT_SECRET' }
const made = manifest()
const deployed = (env: Readonly<Record<string, string>> = PRODUCTION, stage = 'production') =>
  record(stage, () => program(made, readSettings(stage, env), 'release-1'), {
    '{DatabaseUrl.value}': OWNER,
    '{MasterKeys.value}': 'none',
    '{AppPassword.hex}': 'aa11',
    '{JobsPassword.hex}': 'bb22',
  })
const production = deployed()

const pascal = (name: string): string => name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
const functionOf = (name: string): Declared => {
  const [found, ...others] = production.of('sst.aws.Function').filter((one) => one.name === pascal(name))
  if (found === undefined || others.length > 0) throw new Error(`${name} is declared ${others.length + 1} times`)
  return found
}
type Statement = { readonly actions: readonly string[]; readonly resources: readonly string[] }
const permissionsOf = (name: string) => functionOf(name).args.permissions as readonly Statement[]
const environmentOf = (name: string) => functionOf(name).args.environment as Readonly<Record<string, string>>

test('every folder with a handler is a function, and no other folder is', () => {
  expect(
    production
      .of('sst.aws.Function')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(builtFunctions().map(pascal).toSorted())
  for (const name of builtFunctions()) {
    const { memory, timeout } = needsOf(name)
    expect(functionOf(name).args, name).toMatchObject({
      bundle: `.build/${name}`,
      handler: `${name}.handler`,
      runtime: 'nodejs22.x',
      architecture: 'arm64',
      memory: `${memory[0]} MB`,
      timeout: `${timeout[0]} seconds`,
      url: false,
      logging: { retention: '1 month' },
    })
    expect(memory[1].length, name).toBeGreaterThan(20)
    expect(timeout[1].length, name).toBeGreaterThan(20)
  }
})

const routeKeys = production.of('aws.apigatewayv2.Route').map(({ args }) => ({
  path: String(args.routeKey).slice('ANY '.length),
  group: String(args.target).replace(/^integrations\/\{To-(.*)\.id\}$/, '$1'),
}))

test('every path of the API document is routed to the function that serves it, and to no other', () => {
  const document = JSON.parse(readFileSync(new URL('../functions/openapi.json', import.meta.url), 'utf8')) as {
    paths: Record<string, Record<string, { tags: readonly string[] }>>
  }
  const served = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.values(operations).map(({ tags }) => ({ path, group: tags[0] })),
  )
  expect(served.length).toBeGreaterThan(400)
  for (const { path, group } of served) {
    // A parameter's value can equal a literal of another path; the gateway and the application both prefer the literal.
    for (const value of ['0190c0de-0000-7000-8000-000000000001', 'x'])
      expect(chosenKey(routeKeys, path.replace(/\{\w+\}/g, value))?.group, path).toBe(group)
  }
  for (const { name } of made.groups)
    expect(
      routeKeys.some(({ group }) => group === name),
      name,
    ).toBe(true)
})

test('unknown paths start no function: the gateway has no default route', () => {
  expect(routeKeys.filter(({ path }) => path === '$default' || path === '/{proxy+}' || path === '/authsec/{proxy+}')).toEqual([])
  expect(chosenKey(routeKeys, '/')).toEqual({ path: '/', group: 'login' })
  for (const path of ['/wp-login.php', '/local/outbox', '/docs', '/.env', '/authsec', '/authsec/uflow/admin'])
    expect(chosenKey(routeKeys, path), path).toBeUndefined()
})

test('the routes stay below the gateway’s limit', () => {
  expect(routeKeys.length).toBeLessThan(300)
  expect(new Set(routeKeys.map(({ path }) => path)).size).toBe(routeKeys.length)
})

test('no path of one function is routed to another, whatever the order of groups', () => {
  const reversed = record('test', () => program({ ...made, groups: made.groups.toReversed() }, readSettings('test', { DOMAIN: 'a.example' }), 'r'), {
    '{DatabaseUrl.value}': OWNER,
  })
  const keys = (of: typeof reversed) =>
    of
      .of('aws.apigatewayv2.Route')
      .map(({ args }) => `${args.routeKey} ${args.target}`)
      .toSorted()
  expect(keys(reversed)).toEqual(keys(production))
})

test('every job has a schedule of its own interval, and an idle night wakes the database four times an hour', () => {
  const rules = production.of('aws.cloudwatch.EventRule')
  const targets = production.of('aws.cloudwatch.EventTarget')
  expect(targets.map(({ args }) => (JSON.parse(String(args.input)) as { job: string }).job).toSorted()).toEqual(
    made.jobs.map(({ id }) => id).toSorted(),
  )
  for (const { id, everySeconds } of made.jobs) {
    expect(rules.find(({ name }) => name === `Every-${id}`)?.args.scheduleExpression, id).toBe(`rate(${everySeconds / 60} minutes)`)
    expect(targets.find(({ name }) => name === `Run-${id}`)?.args, id).toMatchObject({ arn: '{Scheduled.arn}', rule: `{Every-${id}.name}` })
    expect(everySeconds % 900, id).toBe(0)
  }
  expect(made.jobs.filter(({ everySeconds }) => everySeconds === 900).map(({ id }) => id)).toContain('outbox-net')
})

const CLOUD_ACTIONS = {
  'tasks:send': /^sqs:SendMessage$/,
  'tasks:receive': /^sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes|ChangeMessageVisibility)$/,
}

test.each(builtFunctions())('%s may read the secrets and has the permissions that it declares, and no others', (name) => {
  const { secrets, permissions } = needsOf(name)
  const there: readonly SecretVariable[] = secrets.filter((secret) =>
    production.of('aws.secretsmanager.Secret').some(({ args }) => args.name === `authsec/production/${secret}`),
  )
  expect(environmentOf(name).SECRETS_MANAGER_NAMES?.split(',')).toEqual(there)
  const reading = permissionsOf(name).filter(({ actions }) => actions.some((action) => action.startsWith('secretsmanager:')))
  expect(reading).toEqual([
    {
      actions: ['secretsmanager:GetSecretValue'],
      resources: there.map((secret) => `{Secret${pascal(secret.toLowerCase().replaceAll('_', '-'))}.arn}`),
    },
  ])
  const others = permissionsOf(name).filter((statement) => !reading.includes(statement))
  for (const { actions, resources } of others) {
    expect(resources).toEqual(['{Tasks.arn}'])
    for (const action of actions)
      expect(
        permissions.some((permission) => CLOUD_ACTIONS[permission].test(action)),
        action,
      ).toBe(true)
  }
  expect(others).toHaveLength(permissions.length)
  expect(JSON.stringify(permissionsOf(name))).not.toContain('*')
})

test('no secret is in a function’s environment, which is readable with permission to view a function', () => {
  const values = production.of('aws.secretsmanager.SecretVersion').map(({ args }) => String(args.secretString))
  expect(values).toHaveLength(10)
  for (const { args } of production.of('sst.aws.Function')) {
    const environment = JSON.stringify(args.environment)
    for (const value of [...values, OWNER, 'aa11', 'bb22']) expect(environment).not.toContain(value)
    expect(environment).not.toMatch(/\.value\}|\.hex\}|\.base64\}|sesSmtpPassword/)
  }
})

test('a deleted secret of production can be restored for a month; that of a trial stage can be created again immediately', () => {
  const days = (of: typeof production) => new Set(of.of('aws.secretsmanager.Secret').map(({ args }) => args.recoveryWindowInDays))
  expect([...days(production)]).toEqual([30])
  expect([...days(deployed({ MAIL_FROM: 'auth@example.com' }, 'trial'))]).toEqual([0])
})

test('only the upgrade and the jobs have the owner’s login; requests sign in as the application', () => {
  const secret = (name: string) =>
    production.of('aws.secretsmanager.SecretVersion').find((one) => one.name === `Secret${name}Version`)?.args.secretString
  expect(secret('DatabaseUrl')).toBe('postgres://authsec_app:aa11@db.example.com/authsec?sslmode=require')
  expect(secret('DatabaseJobsUrl')).toBe('postgres://authsec_jobs:bb22@db.example.com/authsec?sslmode=require')
  const holders = builtFunctions().filter((name) => environmentOf(name).SECRETS_MANAGER_NAMES?.includes('DATABASE_OWNER_URL'))
  expect(holders).toEqual(['scheduled', 'upgrade'])
})

test('the database is migrated before any function answers', () => {
  const [upgrade] = production.of('aws.lambda.Invocation')
  expect(upgrade?.args).toMatchObject({ functionName: '{Upgrade.name}', input: '{"upgrade":"release-1"}', triggers: { release: 'release-1' } })
  for (const name of builtFunctions()) {
    if (name === 'upgrade') expect(functionOf(name).dependsOn.length).toBeGreaterThan(0)
    else expect(functionOf(name).dependsOn, name).toEqual(['{Upgrade}'])
  }
})

test('functions behind the API time out before the gateway, and requests before their function', () => {
  for (const { args } of production.of('aws.apigatewayv2.Integration'))
    expect(args).toMatchObject({ timeoutMilliseconds: 30_000, payloadFormatVersion: '2.0' })
  for (const { name } of made.groups) {
    const seconds = needsOf(name).timeout[0]
    expect(seconds, name).toBeLessThanOrEqual(29)
    expect(Number(environmentOf(name).REQUEST_SECONDS), name).toBeLessThan(seconds)
  }
})

test('only the API is public: functions have no URL, invokers are named, the gateway’s own host is disabled', () => {
  for (const { args, name } of production.of('sst.aws.Function')) expect(args.url, name).toBe(false)
  const allowed = production.of('aws.lambda.Permission')
  for (const { args, name } of allowed) {
    expect(args, name).toMatchObject({ action: 'lambda:InvokeFunction', principal: expect.stringMatching(/^(apigateway|events)\.amazonaws\.com$/) })
    expect(args.sourceArn, name).toMatch(/^\{Api\.nodes\.api\.executionArn\}\/\*$|^\{Every-[\w-]+\.arn\}$/)
  }
  const behindApi = allowed.filter(({ args }) => args.principal === 'apigateway.amazonaws.com').map(({ args }) => args.function)
  expect(behindApi.toSorted()).toEqual(made.groups.map(({ name }) => `{${pascal(name)}.arn}`).toSorted())
  expect(production.of('sst.aws.ApiGatewayV2')[0]?.args).toMatchObject({
    domain: 'auth.example.com',
    cors: false,
    'transformed api': { disableExecuteApiEndpoint: true },
  })
  const kinds = new Set(production.declared.map(({ type }) => type))
  expect([...kinds].filter((type) => /Bucket|Cdn|Router|FunctionUrl|StaticSite|QueuePolicy|TopicPolicy/.test(type))).toEqual([])
})

test('a task that fails five times goes to the dead-letter queue, without retrying the others of its batch', () => {
  const [tasks] = production.of('aws.sqs.Queue').filter(({ name }) => name === 'Tasks')
  expect(JSON.parse(String(tasks?.args.redrivePolicy))).toEqual({ deadLetterTargetArn: '{DeadTasks.arn}', maxReceiveCount: 5 })
  expect(Number(tasks?.args.visibilityTimeoutSeconds)).toBeGreaterThanOrEqual(6 * needsOf('outbox').timeout[0])
  expect(production.of('aws.lambda.EventSourceMapping')).toMatchObject([
    { args: { functionName: '{Outbox.arn}', eventSourceArn: '{Tasks.arn}', functionResponseTypes: ['ReportBatchItemFailures'] } },
  ])
})

test('eleven alarms notify a recipient, link a page with instructions, and are on a dashboard', () => {
  const alarms = production.of('aws.cloudwatch.MetricAlarm')
  expect(alarms).toHaveLength(11)
  for (const { name, args } of alarms) {
    const page = new URL(`../docs/alarms/${name.replace('Alarm-', '')}.md`, import.meta.url)
    expect(existsSync(page), String(page)).toBe(true)
    expect(readFileSync(page, 'utf8'), name).toMatch(/## What it means[\s\S]+## What to do[\s\S]+## When it is over/)
    expect(args, name).toMatchObject({ alarmActions: ['{Alarms.arn}'], comparisonOperator: 'GreaterThanThreshold' })
  }
  expect(production.of('aws.sns.TopicSubscription')).toMatchObject([{ args: { endpoint: 'ops@example.com', protocol: 'email' } }])
  const [dashboard] = production.of('aws.cloudwatch.Dashboard')
  expect((JSON.parse(String(dashboard?.args.dashboardBody)) as { widgets: unknown[] }).widgets).toHaveLength(11)
})

test('each alarm on the log counts a line that some function writes', () => {
  const filters = production.of('aws.cloudwatch.LogMetricFilter')
  for (const { metric, of } of COUNTED)
    expect(
      filters.filter(({ name }) => name.startsWith(`Count-${metric}-`)),
      metric,
    ).toHaveLength(of === 'every' ? builtFunctions().length : 1)
  const counted = new Set(COUNTED.map(({ metric }) => metric))
  const namespaces = production.of('aws.cloudwatch.MetricAlarm').filter(({ args }) => args.namespace === 'authsec/production')
  for (const { args } of namespaces) expect(counted).toContain(args.metricName)
  const sources = [
    'shared/platform/jobs/job.ts',
    'shared/platform/http/frame.ts',
    'functions/scheduled/gauges.ts',
    'functions/scheduled/audit-gap.ts',
    'shared/domains/factors/sms-limits.ts',
  ]
    .map((file) => readFileSync(file, 'utf8'))
    .join('')
  const words = COUNTED.filter(({ pattern }) => pattern.startsWith('{')).flatMap(({ pattern, value }) =>
    [...pattern.matchAll(/"([\w.]+)"/g)].map(([, word]) => word).concat(value.startsWith('$.') ? [value.slice(2)] : []),
  )
  for (const word of words) expect(sources, word).toContain(word)
  expect(alarmsOf).toBeTypeOf('function')
})

test('a stage needs two secrets and a sender address; without a domain it uses the gateway’s own host', () => {
  const small = deployed({ MAIL_FROM: 'auth@example.com' }, 'trial')
  expect(
    small
      .of('sst.Secret')
      .map(({ name }) => name)
      .toSorted(),
  ).toEqual(['CacheUrl', 'DatabaseUrl', 'MasterKeys'])
  expect(small.of('sst.aws.ApiGatewayV2')[0]?.args).not.toHaveProperty('domain')
  expect(small.of('sst.aws.Function')[0]?.args.environment).toMatchObject({ BASE_URL: '{Api.url}', SIGN_UP: 'invite' })
})

/** Variables of a single-machine server, or refused in production. */
const NOT_DEPLOYED = ['PORT', 'HOST', 'STOP_NOTICE_SECONDS', 'DATA_DIR', 'RATE_LIMIT', 'OUTBOUND_LOOPBACK', 'IMPORT_TOTP_ENCRYPTION_KEYS']
test('every variable of a deployment reaches the functions as a secret, as a value of the program, or as a setting', () => {
  const decided = Object.keys(environmentOf('oauth'))
  const handedOn = (name: string): boolean => Object.hasOwn(readSettings('production', { ...PRODUCTION, [name]: '1' }).variables, name)
  const lost = Object.keys(BaseConfig.shape).filter(
    (name) => !(SECRETS as readonly string[]).includes(name) && !decided.includes(name) && !NOT_DEPLOYED.includes(name) && !handedOn(name),
  )
  expect(lost).toEqual([])
})

test('a malformed setting stops the deployment and is named', () => {
  expect(() => readSettings('production', {})).toThrow(/^MAIL_FROM/)
  expect(() => readSettings('production', { DOMAIN: 'a.example', EXTRA_SECRETS: 'PATH' })).toThrow(/^EXTRA_SECRETS: PATH/)
  expect(() => readSettings('../x', { DOMAIN: 'a.example' })).toThrow(/^stage/)
})

test('evaluating the program leaves no globals', () => {
  expect(globalThis).not.toHaveProperty('sst')
  expect(globalThis).not.toHaveProperty('$app')
})
