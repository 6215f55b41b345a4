// Composition root of the scheduled function: it has no path. A schedule per job calls it with the job's name, `{ "job": "expiry" }`.
import { cloud } from '#shared/domains/composition/cloud'
import { ConfigError } from '#shared/kernel/config'
import { systemTxtResolver } from '#shared/platform/dns/system'
import { tenantOutbound } from '#shared/platform/fetch/configured'
import { runJob } from '#shared/platform/jobs/job'
import { smtpMail } from '#shared/platform/outbox/mail/smtp'
import { jobs } from './jobs.ts'

const base = await cloud(process.env)
const { SMTP_URL: url, MAIL_FROM: from } = base.config
if (url === undefined) throw new ConfigError('SMTP_URL: must be set')
const ctx = { ...base, mail: smtpMail({ url, from }), outbound: tenantOutbound(base), resolver: systemTxtResolver(base.config.DNS_SERVERS) }

/** A failed job fails the invocation, so that the platform counts it for an alarm. */
export const handler = async (event: { readonly job?: unknown }) => {
  const declaration = jobs.find(({ id }) => id === event?.job)
  if (declaration === undefined) throw new Error('This function accepts only the name of a job.')
  const report = await runJob(ctx, declaration, 'due')
  await base.settle()
  if (report.outcome === 'failed') throw new Error(`job ${declaration.id}: ${report.error}`)
  return report
}
