// Types shared by the files about signing keys.
import type { TenantTx } from '#db/engine/tenant'

export type Alg = 'ES256' | 'RS256'

export type SigningKeyChange = {
  readonly event: 'signing_key.created' | 'signing_key.rotated' | 'signing_key.revoked'
  readonly kid: string
  readonly alg: Alg
}

/** Writes the audit event of a change in the change's own transaction, as the system tenant. */
export type RecordKeyChange = (t: TenantTx, change: SigningKeyChange) => Promise<void>
