// Every job with its interval. All intervals are multiples of 15 minutes, so that in the cloud one schedule wakes the database for all jobs that are
// due, and an idle database sleeps in between. Correctness does not depend on a job running on time: expiry is checked on reading, and mail is sent at once.
//
//   outbox-net       15 min   sends mail whose task was lost
//   webhooks-net     15 min   delivers webhooks whose task was lost
//   gauges           15 min   runs at the same time
//   expiry           1 h      keeps tables small; expired rows are refused without it
//   tenant-purge     1 h      purges a tenant within an hour after its grace period
//   workload-keys    1 h      keys of trust domains are due at different times; each is also rotated when it is used
//   audit-retention  24 h     retention is counted in days
//   key-rotation     24 h     keys are valid for weeks and overlap for a day
//   key-rewrap       24 h     re-encrypts data keys after a change of the master key
//   audit-gap        24 h     reports missing audit events a day later
//   domain-proofs    24 h     a record may be missing for two weeks before a domain loses its verification
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
import { workloadKeyRotation } from './workload-keys.ts'

/** Ordered by interval. */
export const jobs: readonly Job<BaseCtx & { readonly mail: Mail; readonly outbound: Outbound; readonly resolver: TxtResolver }>[] = [
  outboxSweep,
  webhooksSweep,
  gauges,
  expiry,
  tenantPurge,
  workloadKeyRotation,
  auditRetention,
  keyRotation,
  keyRewrap,
  auditGap,
  domainProofs,
]
