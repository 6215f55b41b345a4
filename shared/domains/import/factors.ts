// Imports second factors: what each row of AuthSec holds, its owner, and whether it can be imported. A factor opens an account, so anything unclear is refused; a
// person whose factors are all refused must prove the mailbox first.
import { MAX_FACTORS } from '#shared/domains/factors/policy'
import { algorithmOf } from '#shared/domains/passkeys/cose-key'
import { providerOf } from '#shared/domains/passkeys/provider'
import type { ReportNotes } from './report.ts'
import {
  bytesField,
  epochField,
  type FactorTable,
  flagField,
  listField,
  momentField,
  objectField,
  type SourceRow,
  type TenantRows,
  textField,
  uuidField,
} from './source.ts'
import { openSeed, type SourceKey } from './totp-seed.ts'

type Common = {
  readonly id: string
  readonly table: FactorTable
  readonly userId: string
  readonly name: string
  readonly isPrimary: boolean
  readonly createdAt: Date
  readonly lastUsedAt: Date | undefined
}
export type TotpFactor = Common & { readonly kind: 'totp'; readonly seed: string; readonly deviceType: string }
export type PasskeyFactor = Common & {
  readonly kind: 'webauthn'
  readonly credentialId: string
  readonly publicKey: Uint8Array
  readonly algorithm: number
  readonly signCount: number
  readonly rpId: string
  readonly transports: readonly string[]
  readonly aaguid: string
  readonly backupEligible: boolean
  readonly backedUp: boolean
  /** The tenant claims the passkey's domain but has not verified it here, so no page accepts it yet. */
  readonly waitsForDomain: boolean
}
export type PlannedFactor = TotpFactor | PasskeyFactor

type Found = { readonly table: FactorTable; readonly id: string | null; readonly userId: string | undefined } & (
  | { readonly factor: PlannedFactor }
  /** `had`: the person signed in with it in AuthSec. */
  | { readonly refused: string; readonly had: boolean }
)

export type FactorRules = {
  readonly keys: readonly SourceKey[]
  /** The relying party of passkeys whose row has none. */
  readonly rpId: string | undefined
  /** `here`: our pages accept it. `claimed`: a domain that the tenant claims without proof here. */
  readonly siteOf: (rpId: string) => 'here' | 'claimed' | 'elsewhere'
  readonly now: Date
}

const nameOf = (row: SourceRow, column: string): string => textField(row, column, 100) ?? ''

/** Finds the owner of a row. In AuthSec a client id may stand for a person, but need not be unique to one. */
const ownersOf = (users: readonly SourceRow[]) => {
  const ids = new Set<string>()
  const byClient = new Map<string, string[]>()
  for (const row of users) {
    const [id, clientId] = [uuidField(row, 'id'), uuidField(row, 'client_id')]
    if (id === undefined) continue
    ids.add(id)
    if (clientId !== undefined) byClient.set(clientId, [...(byClient.get(clientId) ?? []), id])
  }
  return (row: SourceRow): string | 'ambiguous' | undefined => {
    if (flagField(row, 'is_elsewhere')) return 'ambiguous'
    const [named, client] = [uuidField(row, 'user_id'), uuidField(row, 'client_id')]
    const owners = client === undefined ? [] : ids.has(client) ? [client] : (byClient.get(client) ?? [])
    if (named === undefined) return owners.length > 1 ? 'ambiguous' : owners[0]
    if (!ids.has(named)) return owners.length > 0 ? 'ambiguous' : undefined
    return owners.length === 0 || owners.includes(named) ? named : 'ambiguous'
  }
}
type OwnerOf = ReturnType<typeof ownersOf>

/** The refusal of a row without a definite owner. */
const unowned = (table: FactorTable, row: SourceRow, owner: string | undefined): Found | undefined => {
  const id = uuidField(row, 'id') ?? null
  if (id === null) return { table, id, userId: undefined, refused: 'id_invalid', had: false }
  if (owner === undefined) return { table, id, userId: undefined, refused: 'person_missing_or_of_another_tenant', had: false }
  return owner === 'ambiguous' ? { table, id, userId: undefined, refused: 'owner_ambiguous', had: false } : undefined
}

type TotpRow = {
  readonly table: FactorTable
  readonly row: SourceRow
  readonly userId: string
  readonly stored: string | undefined
  readonly name: string
  readonly deviceType: string
  readonly createdAt: Date | undefined
  readonly lastUsedAt: Date | undefined
}
const totpOf = async ({ table, row, userId, stored, ...rest }: TotpRow, { keys, now }: FactorRules): Promise<Found> => {
  const id = uuidField(row, 'id') ?? ''
  const opened = stored === undefined ? ({ reason: 'secret_unreadable' } as const) : await openSeed(stored, keys)
  if ('reason' in opened) return { table, id, userId, refused: opened.reason, had: true }
  const { createdAt, ...details } = rest
  const factor = {
    ...details,
    id,
    table,
    userId,
    kind: 'totp',
    seed: opened.seed,
    isPrimary: flagField(row, 'is_primary'),
    createdAt: createdAt ?? now,
  } as const
  return { table, id, userId, factor }
}

const readApp = async (table: FactorTable, row: SourceRow, ownerOf: OwnerOf, rules: FactorRules): Promise<Found> => {
  const owner = ownerOf(row)
  const lost = unowned(table, row, owner)
  if (lost !== undefined || owner === undefined) return lost as Found
  const id = uuidField(row, 'id') ?? null
  // Releases have one or the other column. An unconfirmed app proves nothing.
  if (row.is_active === false || row.is_verified === false) return { table, id, userId: owner, refused: 'not_in_use', had: false }
  return totpOf(
    {
      table,
      row,
      userId: owner,
      stored: textField(row, 'secret', 2000),
      name: nameOf(row, 'device_name'),
      deviceType: textField(row, 'device_type', 50) ?? 'generic',
      createdAt: epochField(row, 'created_at'),
      lastUsedAt: epochField(row, 'last_used'),
    },
    rules,
  )
}

/** SHA-1, six digits, 30 seconds; absent parameters count as these. Other apps would show codes that never match. */
const hasSupportedParameters = (data: Readonly<Record<string, unknown>>): boolean =>
  ['SHA1', 'SHA-1', undefined].includes(data.algorithm as string | undefined) &&
  [6, undefined].includes(data.digits as number | undefined) &&
  [30, undefined].includes(data.period as number | undefined)

const readMethod = async (row: SourceRow, ownerOf: OwnerOf, rules: FactorRules): Promise<readonly Found[]> => {
  const table = 'mfa_methods'
  const owner = ownerOf(row)
  const lost = unowned(table, row, owner)
  if (lost !== undefined || owner === undefined) return [lost as Found]
  const common = { table, id: uuidField(row, 'id') ?? null, userId: owner } as const
  const kind = textField(row, 'method_type', 50)
  if (row.enabled === false || row.verified === false) return [{ ...common, refused: 'not_in_use', had: false }]
  // Only says that passkeys exist; they have rows of their own.
  if (kind === 'webauthn') return []
  // The current owner of a phone number is unproved.
  if (kind === 'sms') return [{ ...common, refused: 'phone_must_be_confirmed_again', had: true }]
  if (kind !== 'totp') return [{ ...common, refused: 'kind_unknown', had: true }]
  const data = objectField(row, 'method_data') ?? {}
  if (!hasSupportedParameters(data)) return [{ ...common, refused: 'parameters_unsupported', had: true }]
  const app = await totpOf(
    {
      table,
      row,
      userId: owner,
      stored: textField(data, 'secret_encrypted', 2000) ?? textField(data, 'secret', 2000),
      name: nameOf(row, 'display_name'),
      deviceType: 'generic',
      createdAt: momentField(row, 'created_at') ?? momentField(row, 'enrolled_at'),
      lastUsedAt: momentField(row, 'last_used_at'),
    },
    rules,
  )
  // Backup codes have eight digits of 32 bits and lie beside their key, so none are imported.
  const hasCodes = !['', '[]', 'null'].includes(textField(row, 'backup_codes', 4000) ?? '')
  return hasCodes ? [app, { ...common, refused: 'backup_codes_must_be_made_anew', had: false }] : [app]
}

/** Unsalted hashes of at most 64 bits: reading the table reveals the codes, so none are imported. */
const readBackupCode = (table: FactorTable, row: SourceRow, ownerOf: OwnerOf): Found => {
  const owner = ownerOf(row)
  const lost = unowned(table, row, owner)
  if (lost !== undefined) return lost
  return {
    table,
    id: uuidField(row, 'id') ?? null,
    userId: owner,
    refused: flagField(row, 'is_used') ? 'spent' : 'backup_codes_must_be_made_anew',
    had: false,
  }
}

const RP_ID = /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/
const NO_AAGUID = '00000000-0000-0000-0000-000000000000'
const MOST_ID_BYTES = 1023
const TRANSPORTS = new Set(['usb', 'nfc', 'ble', 'smart-card', 'hybrid', 'internal', 'cable'])

const readPasskey = async (row: SourceRow, ownerOf: OwnerOf, { rpId: given, siteOf, now }: FactorRules): Promise<Found> => {
  const table = 'credentials'
  const owner = ownerOf(row)
  const lost = unowned(table, row, owner)
  const id = uuidField(row, 'id')
  if (lost !== undefined || owner === undefined || id === undefined) return lost as Found
  const refused = (reason: string): Found => ({ table, id, userId: owner, refused: reason, had: true })
  const [credentialId, publicKey] = [bytesField(row, 'credential_id'), bytesField(row, 'public_key')]
  if (credentialId === undefined || publicKey === undefined || credentialId.length > MOST_ID_BYTES) return refused('credential_unreadable')
  const algorithm = await algorithmOf(publicKey).catch(() => undefined)
  if (algorithm === undefined) return refused('key_unsupported')
  const signCount = row.sign_count ?? 0
  if (typeof signCount !== 'number' || !Number.isInteger(signCount) || signCount < 0 || signCount > 0xffff_ffff) return refused('counter_unreadable')
  const rpId = (textField(row, 'rp_id', 300) ?? given)?.toLowerCase()
  if (rpId === undefined) return refused('relying_party_unknown')
  const site = RP_ID.test(rpId) ? siteOf(rpId) : 'elsewhere'
  if (site === 'elsewhere') return refused('relying_party_of_another_site')
  const aaguid = uuidField(row, 'aaguid') ?? NO_AAGUID
  const factor: PasskeyFactor = {
    id,
    table,
    userId: owner,
    kind: 'webauthn',
    name: providerOf(aaguid) ?? '',
    isPrimary: false,
    createdAt: momentField(row, 'created_at') ?? now,
    lastUsedAt: undefined,
    credentialId: Buffer.from(credentialId).toString('base64url'),
    publicKey,
    algorithm,
    signCount,
    rpId,
    transports: [...new Set(listField(row, 'transports').filter((transport) => TRANSPORTS.has(transport)))],
    aaguid,
    backupEligible: flagField(row, 'backup_eligible'),
    backedUp: flagField(row, 'backup_state'),
    waitsForDomain: site === 'claimed',
  }
  return { table, id, userId: owner, factor }
}

export type ReadFactors = {
  /** People who signed in with a factor in AuthSec, imported or not. */
  readonly had: ReadonlySet<string>
  /** People with an imported factor that works at once. */
  readonly usable: ReadonlySet<string>
  /** People whose backup codes are not imported. */
  readonly codesLost: ReadonlySet<string>
  readonly found: readonly Found[]
}

/** Reads and opens all factors; decides nothing about people. */
export const readFactors = async (source: TenantRows, rules: FactorRules): Promise<ReadFactors> => {
  const ownerOf = ownersOf(source.users)
  const found: Found[] = []
  for (const row of source.mfa_methods) found.push(...(await readMethod(row, ownerOf, rules)))
  for (const table of ['tenant_totp_secrets', 'totp_secrets'] as const)
    for (const row of source[table]) found.push(await readApp(table, row, ownerOf, rules))
  for (const row of source.credentials) found.push(await readPasskey(row, ownerOf, rules))
  for (const table of ['totp_backup_codes', 'tenant_totp_backup_codes'] as const)
    for (const row of source[table]) found.push(readBackupCode(table, row, ownerOf))
  const [had, usable, codesLost] = [new Set<string>(), new Set<string>(), new Set<string>()]
  for (const one of found) {
    if (one.userId === undefined) continue
    if ('factor' in one ? true : one.had) had.add(one.userId)
    if ('factor' in one && !(one.factor.kind === 'webauthn' && one.factor.waitsForDomain)) usable.add(one.userId)
    if ('refused' in one && one.refused === 'backup_codes_must_be_made_anew') codesLost.add(one.userId)
  }
  return { had, usable, codesLost, found }
}

type People = { readonly taken: ReadonlySet<string>; readonly deleted: ReadonlySet<string> }

/** Why a factor is refused: its person is not imported, or it is a duplicate. */
const obstacleOf = (factor: PlannedFactor, { taken, deleted }: People, { usable }: ReadFactors, seen: Set<string>, counts: Map<string, number>) => {
  const { id, userId } = factor
  if (!taken.has(userId)) return 'person_missing_or_of_another_tenant'
  if (deleted.has(userId)) return 'person_deleted'
  // Alone it would lock its owner out until an administrator verifies the domain, who may be the owner.
  if (factor.kind === 'webauthn' && factor.waitsForDomain && !usable.has(userId)) return 'domain_must_be_proved_first'
  const secret = factor.kind === 'totp' ? `${userId} ${factor.seed}` : factor.credentialId
  if (seen.has(id) || seen.has(secret)) return 'duplicate'
  if ((counts.get(userId) ?? 0) >= MAX_FACTORS) return 'factor_limit'
  seen.add(id).add(secret)
  counts.set(userId, (counts.get(userId) ?? 0) + 1)
  return undefined
}

/** The imported factors; reports a line for each row. */
export const planFactors = (read: ReadFactors, people: People, notes: ReportNotes): readonly PlannedFactor[] => {
  const [seen, counts] = [new Set<string>(), new Map<string, number>()]
  return read.found.flatMap((one) => {
    const reason = 'factor' in one ? obstacleOf(one.factor, people, read, seen, counts) : one.refused
    if (!('factor' in one) || reason !== undefined) {
      notes.refused(one.table, one.id, reason ?? 'id_invalid')
      return []
    }
    const waits = one.factor.kind === 'webauthn' && one.factor.waitsForDomain
    notes.taken(one.table, one.id, ...(waits ? ['domain_must_be_proved'] : []))
    return [one.factor]
  })
}
