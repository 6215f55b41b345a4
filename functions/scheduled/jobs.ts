// Every job, with its interval. All intervals are multiples of a quarter of an hour, so that in the cloud one schedule wakes the database for all that are
// due, and an idle one sleeps in between. No promise leans on a job's punctuality: expiry is judged when read, messages are sent when they are written.
//
//   outbox-net       15 min   sends what nobody was woken for
//   webhooks-net     15 min   delivers what nobody was woken for
//   gauges           15 min   with the same tick
//   expiry           1 h      keeps tables small; what has expired is refused without it
//   tenant-purge     1 h      what is closed is purged within the hour after its grace
//   audit-retention  24 h     retention is counted in days
//   key-rotation     24 h     keys live for weeks and overlap for a day
//   key-rewrap       24 h     after a change of the master key
//   audit-gap        24 h     what is missing in the record is noticed the day after
//   domain-proofs    24 h     a proof may be missing for two weeks before the domain counts no more
import type { BaseCtx } from '#shared/domains/context'
import type { TxtResolver } from '#shared/platform/dns/resolver'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { Job } from '#shared/platform/jobs/job'
import type { Mail } from '#shared/platform/outbox/mail/mail'
import { auditGap } from './audit-gap.ts'
import { auditRetention } from './audit-retention.ts'
import { domainProofs } from './domain-proofs.ts'
import { expiry } from './expiry.ts'
import { gauges } from './gauges.ts'
import { keyRewrap, keyRotation } from './keys.ts'
import { outboxSweep } from './outbox-sweep.ts'
import { tenantPurge } from './tenant-purge.ts'
import { webhooksSweep } from './webhooks-sweep.ts'

/** In order of their intervals. */
export const jobs: readonly Job<BaseCtx & { readonly mail: Mail; readonly outbound: Outbound; readonly resolver: TxtResolver }>[] = [
  outboxSweep,
  webhooksSweep,
  gauges,
  expiry,
  tenantPurge,
  auditRetention,
  keyRotation,
  keyRewrap,
  auditGap,
  domainProofs,
]
