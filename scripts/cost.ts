// `npm run cost`: the monthly cost at three loads, with the arithmetic. Prices are list prices of AWS in us-east-1, of Neon and of Upstash at the time of writing;
// they are data here and can be replaced. Free tiers are left out. The same arithmetic is in docs/cost.md, which this script writes with `--write`.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const PRICES = {
  /** A GB-second on arm64, and a million invocations. */
  lambdaGbSecond: 0.0000133334,
  lambdaMillion: 0.2,
  /** A million requests of an HTTP API, up to 300 million. */
  apiMillion: 1.0,
  /** A managed secret for a month, and 10 000 reads. */
  secret: 0.4,
  secretReads10k: 0.05,
  /** An alarm, a custom metric and a dashboard for a month each; a GB of ingested log. */
  alarm: 0.1,
  metric: 0.3,
  dashboard: 3,
  logGb: 0.5,
  /** A million queue requests. */
  queueMillion: 0.4,
  /** An hour of one compute unit (1 vCPU, 4 GB) of serverless PostgreSQL, and a GB of data for a month. */
  databaseHour: 0.16,
  databaseGb: 0.35,
  /** 100 000 commands of serverless Redis. */
  cache100k: 0.2,
  /** A thousand mails. */
  mails1k: 0.1,
} as const

/** Resources per request, as measured by `npm run bench:functions` and the tests. */
export const USAGE = {
  /** At 512 MB and warm: a few round trips to a nearby database. A sign-in takes 1024 MB for 0.25 s. */
  requestSeconds: 0.03,
  requestGb: 0.5,
  signInShare: 0.02,
  signInSeconds: 0.25,
  signInGb: 1,
  /** Cold starts per request under steady traffic, and the duration of one. */
  coldShare: 0.005,
  coldSeconds: 0.9,
  /** Cache commands: one limit per address, plus the occasional metrics of an instance. */
  cacheCommands: 1.6,
  /** Bytes of log: the request line, its latency, and the platform's own lines. */
  logBytes: 900,
  mailShare: 0.005,
  /** Secrets read at a cold start. */
  secretsOfStart: 5,
  /** Requests per second that a database compute unit serves at half its maximum. */
  requestsOfUnit: 400,
  /** Bytes that a request adds to the database, including the audit log; kept for ninety days. */
  dataBytes: 120,
} as const

/** Custom metrics: those that alarms count in the log, and the request latency. Five pollers read a queue with a function behind it, each every 20 seconds. */
export const DEPLOYMENT = {
  secrets: 8,
  alarms: 11,
  ownMetrics: 7,
  pollsADay: (5 * 86_400) / 20,
  jobsADay: 96 * 3 + 24 * 3 + 5,
  wakesADay: 96,
  wokenMinutes: 5,
} as const

export type Line = { readonly what: string; readonly sum: string; readonly dollars: number }

const DAYS = 30
const HOURS = DAYS * 24
const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3).replace(/\.?0+$/, ''))
const count = (value: number): string => (value >= 1e6 ? `${round(value / 1e6)} M` : value >= 1e3 ? `${round(value / 1e3)} k` : round(value))

/** `requests` a month. */
export const costOf = (requests: number): readonly Line[] => {
  const jobs = DEPLOYMENT.jobsADay * DAYS
  const invocations = requests * (1 + USAGE.mailShare) + jobs
  const plain = requests * (1 - USAGE.signInShare)
  const signIns = requests * USAGE.signInShare
  // Without traffic each scheduled run is a cold start.
  const starts = requests * USAGE.coldShare + DEPLOYMENT.wakesADay * DAYS
  const gbSeconds =
    plain * USAGE.requestSeconds * USAGE.requestGb +
    signIns * USAGE.signInSeconds * USAGE.signInGb +
    (jobs * 1 + starts * USAGE.coldSeconds) * USAGE.requestGb
  const wokenHours = (DEPLOYMENT.wakesADay * DEPLOYMENT.wokenMinutes * DAYS) / 60
  // Up to a tenth of a unit's maximum it stays at the smallest size, a quarter; under steady traffic it never suspends.
  const perSecond = requests / (HOURS * 3600)
  const units = Math.max(0.25, perSecond / USAGE.requestsOfUnit)
  const awake = Math.min(HOURS, wokenHours + requests / (perSecond === 0 ? 1 : Math.max(perSecond, 1)) / 3600)
  const gigabytes = (requests * 3 * USAGE.dataBytes) / 1e9 + 0.1
  const commands = requests * USAGE.cacheCommands + jobs * 4
  const log = (invocations * USAGE.logBytes) / 1e9
  const lines: readonly (readonly [string, string, number])[] = [
    ['API', `${count(requests)} requests x ${PRICES.apiMillion}/M`, (requests / 1e6) * PRICES.apiMillion],
    ['functions, invocations', `${count(invocations)} x ${PRICES.lambdaMillion}/M`, (invocations / 1e6) * PRICES.lambdaMillion],
    [
      'functions, GB-seconds',
      `${count(plain)} x ${USAGE.requestSeconds} s x ${USAGE.requestGb} GB + ${count(signIns)} sign-ins x ${USAGE.signInSeconds} s x ${USAGE.signInGb} GB + ${count(starts)} starts x ${USAGE.coldSeconds} s + ${count(jobs)} jobs = ${count(gbSeconds)} x ${PRICES.lambdaGbSecond}`,
      gbSeconds * PRICES.lambdaGbSecond,
    ],
    ['database, compute', `${round(units)} units x ${round(awake)} h x ${PRICES.databaseHour}`, units * awake * PRICES.databaseHour],
    ['database, storage', `${round(gigabytes)} GB x ${PRICES.databaseGb}`, gigabytes * PRICES.databaseGb],
    ['cache', `${count(commands)} commands x ${PRICES.cache100k}/100 k`, (commands / 1e5) * PRICES.cache100k],
    [
      'queue',
      `(${count(DEPLOYMENT.pollsADay * DAYS)} polls + ${count(requests * USAGE.mailShare * 3)}) x ${PRICES.queueMillion}/M`,
      ((DEPLOYMENT.pollsADay * DAYS + requests * USAGE.mailShare * 3) / 1e6) * PRICES.queueMillion,
    ],
    ['mail', `${count(requests * USAGE.mailShare)} x ${PRICES.mails1k}/k`, ((requests * USAGE.mailShare) / 1e3) * PRICES.mails1k],
    [
      'secrets',
      `${DEPLOYMENT.secrets} x ${PRICES.secret} + ${count(starts * USAGE.secretsOfStart)} reads x ${PRICES.secretReads10k}/10 k`,
      DEPLOYMENT.secrets * PRICES.secret + ((starts * USAGE.secretsOfStart) / 1e4) * PRICES.secretReads10k,
    ],
    ['logs', `${round(log)} GB x ${PRICES.logGb}`, log * PRICES.logGb],
    [
      'alarms, metrics, dashboard',
      `${DEPLOYMENT.alarms} x ${PRICES.alarm} + ${DEPLOYMENT.ownMetrics} x ${PRICES.metric} + ${PRICES.dashboard}`,
      DEPLOYMENT.alarms * PRICES.alarm + DEPLOYMENT.ownMetrics * PRICES.metric + PRICES.dashboard,
    ],
  ]
  return lines.map(([what, sum, dollars]) => ({ what, sum, dollars }))
}

export const totalOf = (lines: readonly Line[]): number => lines.reduce((sum, { dollars }) => sum + dollars, 0)

const LOADS = [
  ['Idle', 0],
  ['1 million requests a month', 1e6],
  ['100 million requests a month', 1e8],
] as const

const table = (title: string, requests: number): string => {
  const lines = costOf(requests)
  const rows = [
    ...lines.map(({ what, sum, dollars }) => `| ${what} | ${sum} | ${dollars.toFixed(2)} |`),
    `| **together** | | **${totalOf(lines).toFixed(2)}** |`,
  ]
  return `## ${title}\n\n| | | dollars |\n| --- | --- | ---: |\n${rows.join('\n')}\n`
}

export const costSheet = (): string => `# Cost

Written by \`npm run cost -- --write\` from the prices and measures in \`scripts/cost.ts\`. List prices, no free tier, no data transfer, no support plan.

${LOADS.map(([title, requests]) => table(title, requests)).join('\n')}
## What would change it

- An idle system pays for alarms, secrets and the database, which four schedules an hour wake for ${DEPLOYMENT.wokenMinutes} minutes each; a database that suspends after one minute costs a fifth of that.
- At 100 million requests the per-command price of the cache is the largest item: a fixed plan or a small self-hosted Redis is cheaper from about 20 million requests.
- Log lines: a request writes about ${USAGE.logBytes} bytes with its latency. METRICS_EMF=off halves that.
- Sign-ins are ${USAGE.signInShare * 100} in a hundred requests here. Each password check uses half a processor; a deployment with only passkeys pays less.
`

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) writeFileSync(fileURLToPath(new URL('../docs/cost.md', import.meta.url)), costSheet())
  else process.stdout.write(costSheet())
}
