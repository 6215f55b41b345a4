// Composition root of the outbox function: it has no path and consumes the task queue.

import { cloud } from '#shared/domains/composition/cloud'
import { ConfigError } from '#shared/kernel/config'
import { awsAccessFrom } from '#shared/platform/aws/call'
import { tenantOutbound } from '#shared/platform/fetch/configured'
import { smtpMail } from '#shared/platform/outbox/mail/smtp'
import { sqsTasks } from '#shared/platform/queue/sqs'
import { runTasks } from './tasks.ts'

const base = await cloud(process.env)
const { SMTP_URL: url, MAIL_FROM: from, TASK_QUEUE_URL: queueUrl } = base.config
if (url === undefined) throw new ConfigError('SMTP_URL: must be set')
const queue = queueUrl === undefined ? undefined : sqsTasks({ queueUrl, access: awsAccessFrom(process.env) })
const ctx = { ...base, mail: smtpMail({ url, from }), outbound: tenantOutbound(base), queue }

export const handler = async (event: unknown) => {
  const failures = await runTasks(ctx, event)
  await base.settle()
  return failures
}
