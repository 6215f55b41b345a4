// The trust domain of a tenant with keys that are ready to sign: created at first use, and rotated when they are due.
import type { TenantId } from '#db/engine/tenant'
import type { WorkloadKeyUse } from '#db/store/trust-domains'
import type { BaseCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { type Actor, bySystem } from '#shared/platform/audit/audit-log'
import type { Alg } from '#shared/platform/tokens/signing-key'
import { findTrustDomain, KEY_LINES, keysOfLine, openAll, planKeyLine, type TrustDomainKeys, type WorkloadKey } from './keys.ts'

/** Loaded on demand: needed only where a key is missing or due. */
const changes = () => import('./key-changes.ts')

const isReady = ({ rows }: TrustDomainKeys, now: Date): boolean =>
  KEY_LINES.every((line) => planKeyLine(rows, line, now).every(({ step }) => step === 'delete'))

type Making = Pick<BaseCtx, 'db' | 'clock' | 'keyring' | 'random' | 'hash'>

/** The trust domain with all its keys. Creates it, and applies due changes of keys. Call it outside a transaction. */
export const ensureTrustDomain = async (ctx: Making, tenantId: TenantId, actor: Actor = bySystem): Promise<TrustDomainKeys> => {
  const known = await findTrustDomain(ctx, tenantId)
  if (known !== undefined && isReady(known, ctx.clock.now())) return known
  await (await changes()).rotateWorkloadKeys(ctx, tenantId, actor)
  const made = await findTrustDomain(ctx, tenantId)
  if (made === undefined) throw new Error('The trust domain was not created.')
  return made
}

/** The current key of a use and an algorithm. Call it outside a transaction. @throws AppError not_found when the tenant is not active */
export const workloadSigner = async (ctx: Making, tenantId: TenantId, use: WorkloadKeyUse, alg: Alg): Promise<WorkloadKey> => {
  const { rows, isTenantActive } = await ensureTrustDomain(ctx, tenantId)
  if (!isTenantActive) throw new AppError('not_found')
  const [current] = await openAll(
    ctx,
    tenantId,
    keysOfLine(rows, { use, alg }).filter(({ status }) => status === 'current'),
  )
  if (current === undefined) throw new Error(`The current ${use} key of the tenant cannot be opened.`)
  return current
}
