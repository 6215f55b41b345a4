// What a method of attestation is: how it verifies its evidence, and what its attestors may be configured to accept.

import type { JWK } from 'jose'
import type { TenantDb, TenantTx } from '#db/engine/tenant'
import type { Attestor, KeyBinding } from '#db/store/attestors'
import type { BaseCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { Facts } from './rules.ts'

/** The authorities of a federated trust domain, verified when they were fetched. */
export type FederatedBundle = { readonly jwtKeys: readonly JWK[]; readonly certificateAuthorities: readonly Uint8Array[] }
export type FederatedBundles = {
  /** Undefined unless the tenant federates with that trust domain. */
  readonly find: (t: TenantDb, trustDomain: string) => Promise<FederatedBundle | undefined>
}

export type AttestationCtx = Pick<BaseCtx, 'db' | 'clock' | 'config' | 'hash' | 'keyring'> & {
  readonly outbound: Outbound
  /** Without it, evidence of federated trust domains is refused. */
  readonly federatedBundles?: FederatedBundles
}

/** Evidence as presented for a workload's key. */
export type PresentedEvidence = {
  readonly attestor: Attestor
  readonly evidence: string
  /** RFC 7638 thumbprint of the workload's key. */
  readonly jkt: string
}

export type VerifiedEvidence = {
  readonly facts: Facts
  /** SHA-256 of what the signature of the evidence covers. */
  readonly digest: Uint8Array
  readonly expiresAt: Date
  /** The registration entry that the evidence is for, where it names one. */
  readonly entryId?: string
}

export type Method = {
  /** Where the keys come from: the attestor's row, a federated bundle, or a remote service that verifies. */
  readonly keys: 'jwks' | 'certificates' | 'bundle' | 'service'
  readonly issuer?: {
    /** Used unless the attestor names another one. */
    readonly standard?: string
    readonly pattern: RegExp
    readonly jwksUri?: (issuer: string) => string
  }
  /** The algorithms that attestors may accept; all of them unless an attestor names some. */
  readonly algorithms: readonly string[]
  /** The bindings that attestors may choose; the first unless an attestor names one. */
  readonly bindings: readonly KeyBinding[]
  /** The names that rules may use; any claim when absent. */
  readonly ruleNames?: readonly string[]
  /** Immutable ids: a rule names one of them in this form. Names are recycled, so rules on names alone are refused. None where evidence needs no rule. */
  readonly identifying?: Readonly<Record<string, RegExp>>
  /** A rule that is refused although its name and form are allowed. */
  readonly refusedRule?: (name: string, rule: string) => string | undefined
  /** Selectors by the names of facts. */
  readonly selectors: (facts: Facts) => readonly string[]
  /** @throws EvidenceRefusal */
  readonly verify: (ctx: AttestationCtx, t: TenantDb, presented: PresentedEvidence) => Promise<VerifiedEvidence>
  /** Uses evidence that works once, in the transaction of what is issued for it; false when it was used meanwhile. */
  readonly consume?: (ctx: AttestationCtx, t: TenantTx, presented: PresentedEvidence) => Promise<boolean>
}

/** Algorithms of proofs with certificates, and of JWT-SVIDs. */
export const CERTIFICATE_ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'] as const

/** A serial number of a certificate in the form in which attestors list it. */
export const normalSerial = (serial: string): string => serial.toLowerCase().replace(/^0+(?=.)/, '')

/** Selectors `prefix:name:value` for the named facts; `names` maps the name of a fact to that of its selector. */
export const selectorsOf =
  (prefix: string, names: Readonly<Record<string, string>>) =>
  (facts: Facts): readonly string[] =>
    Object.entries(names).flatMap(([fact, selector]) => (facts[fact] ?? []).map((value) => `${prefix}:${selector}:${value}`))
