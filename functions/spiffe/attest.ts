// Evidence in exchange for SVIDs: attestor, evidence, key, registration entry, issue. Every cause of a refusal looks alike to the caller and is named in the audit log.
import { calculateJwkThumbprint, type JWK } from 'jose'
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findEntry, type RegistrationEntry } from '#db/store/registration-entries'
import { type Attested, verifyAttestation } from '#shared/domains/attestation/attest'
import { proofKey } from '#shared/domains/oauth/dpop'
import { matchEntries } from '#shared/domains/spiffe/entries'
import { issueSvids } from '#shared/domains/spiffe/svids'
import { AppError } from '#shared/kernel/errors'
import { byWorkload } from '#shared/platform/audit/audit-log'
import type { Attest, AttestedSvids } from './attest.schema.ts'
import { withFederation } from './federated-bundles.ts'
import type { Ctx } from './group.ts'
import { tenantInPath } from './publication.ts'
import { toTokenSvid, toX509Svid } from './svids.ts'

type Wanted = Pick<z.output<typeof Attest>, 'x509' | 'jwt' | 'wit'>

const otherKey = (field: string): AppError => new AppError('invalid_request', `${field}: must be the key of the DPoP proof`, { field })

/** The evidence is bound to the proved key, and so is what is issued for it. @throws AppError invalid_request */
const requireProvedKey = async (jkt: string, { x509, wit }: Wanted): Promise<void> => {
  if (x509 !== undefined) {
    const { keyOfCsr } = await import('#shared/domains/spiffe/x509')
    if ((await keyOfCsr(x509.csr)).jkt !== jkt) throw otherKey('body.x509.csr')
  }
  if (wit !== undefined) {
    const thumbprint = await calculateJwkThumbprint(wit.jwk as JWK).catch(() => undefined)
    if (thumbprint !== jkt) throw otherKey('body.wit.jwk')
  }
}

/** The entry that a join token names, or the best one for the proved selectors. */
const entryFor = async (t: TenantDb, { entryId, selectors }: Attested): Promise<RegistrationEntry | undefined> =>
  entryId === undefined ? (await matchEntries(t, selectors))[0] : findEntry(t, entryId)

/**
 * The evidence is used, and the SVIDs count, in one transaction. Repeat with a new DPoP proof.
 * @throws AppError attestation_failed, invalid_dpop_proof, use_dpop_nonce, invalid_request, invalid_target, not_found
 */
export const svidsForEvidence = async (
  ctx: Ctx,
  tenant: string,
  { attestor_id: attestorId, evidence, ...wanted }: z.output<typeof Attest>,
): Promise<z.input<typeof AttestedSvids>> => {
  const tenantId = tenantInPath(tenant)
  const t = forTenant(ctx.db, tenantId)
  const jkt = await proofKey(ctx, { method: 'POST', target: ctx.request.page })
  if (jkt === undefined) throw new AppError('invalid_dpop_proof', 'A DPoP proof of the workload\u2019s key is required.')
  await requireProvedKey(jkt, wanted)
  const { attested, use, refusal } = await verifyAttestation(withFederation(ctx), t, { attestorId, evidence, jkt })
  const entry = await entryFor(t, attested)
  if (entry === undefined) throw refusal('entry')
  const issued = await issueSvids(ctx, entry, { actor: byWorkload(entry.id), within: use }, wanted)
  return {
    spiffe_id: entry.spiffeId,
    entry_id: entry.id,
    ...(issued.x509 === undefined ? {} : { x509: toX509Svid(issued.x509) }),
    ...(issued.jwt === undefined ? {} : { jwt: toTokenSvid(issued.jwt) }),
    ...(issued.wit === undefined ? {} : { wit: toTokenSvid(issued.wit) }),
    bundle_url: `${ctx.config.BASE_URL}/spiffe/${tenantId}/bundle`,
  }
}
