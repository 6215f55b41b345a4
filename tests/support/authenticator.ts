// A software authenticator for tests: creates credentials and signs assertions as the specification requires, or as an attacker would.
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

type Cbor = number | string | Uint8Array | ReadonlyMap<number | string, Cbor>

const head = (major: number, value: number): Buffer => {
  if (value < 24) return Buffer.from([(major << 5) | value])
  if (value < 0x100) return Buffer.from([(major << 5) | 24, value])
  return Buffer.from([(major << 5) | 25, value >> 8, value & 0xff])
}
/** RFC 8949, as far as COSE keys and attestation objects need it. */
export const cbor = (value: Cbor): Buffer => {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value)
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)])
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value])
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([name, member]) => [cbor(name), cbor(member)])])
}

const b64 = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('base64url')
const bytesOf = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url')
const sha256 = (data: Uint8Array | string): Buffer => createHash('sha256').update(data).digest()

export type Algorithm = -7 | -8 | -257
type Keys = { readonly privateKey: KeyObject; readonly cose: Buffer }

const newKeys = (algorithm: Algorithm): Keys => {
  if (algorithm === -257) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const { n, e } = publicKey.export({ format: 'jwk' })
    const cose = new Map<number, Cbor>([
      [1, 3],
      [3, -257],
      [-1, bytesOf(n)],
      [-2, bytesOf(e)],
    ])
    return { privateKey, cose: cbor(cose) }
  }
  const { privateKey, publicKey } = algorithm === -7 ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const { x, y } = publicKey.export({ format: 'jwk' })
  const cose = new Map<number, Cbor>([
    [1, algorithm === -7 ? 2 : 1],
    [3, algorithm],
    [-1, algorithm === -7 ? 1 : 6],
    [-2, bytesOf(x)],
    ...(y === undefined ? [] : [[-3, bytesOf(y)] as const]),
  ])
  return { privateKey, cose: cbor(cose) }
}

const signed = (algorithm: Algorithm, key: KeyObject, data: Uint8Array): Buffer => sign(algorithm === -8 ? null : 'sha256', data, key)

type Traits = {
  readonly algorithm: Algorithm
  /** Whether the person is verified (a PIN, a fingerprint). */
  readonly uv: boolean
  readonly up: boolean
  /** Synchronised between devices. */
  readonly synced: boolean
  /** The increment of the signature counter; 0: no counter. */
  readonly counts: number
  readonly attestation: 'none' | 'packed'
  readonly transports: readonly string[]
}

/** The parts that an attacker changes; all others are valid. */
export type Lies = {
  readonly origin?: string
  readonly challenge?: string
  readonly type?: string
  readonly rpId?: string
  readonly crossOrigin?: boolean
  readonly topOrigin?: string
  readonly uv?: boolean
  readonly up?: boolean
  readonly counter?: number
  readonly credentialId?: string
  readonly userHandle?: string
  readonly backupEligible?: boolean
  /** COSE key in place of the credential's own. */
  readonly cose?: Buffer
  readonly fmt?: string
  readonly statement?: ReadonlyMap<string, Cbor>
  /** The algorithm that a self attestation claims. */
  readonly attestedBy?: number
  /** Breaks the signature of the assertion or attestation. */
  readonly forged?: boolean
}

export type Made = {
  readonly id: string
  readonly rpId: string
  readonly userHandle: string
  readonly keys: Keys
  counter: number
}

type Creation = { readonly publicKey: { readonly challenge: string; readonly rp: { readonly id: string }; readonly user: { readonly id: string } } }
type Request = {
  readonly publicKey: {
    readonly challenge: string
    readonly rpId: string
    readonly allowCredentials?: readonly { readonly id: string }[]
  }
}

const FLAG = { up: 1, uv: 4, be: 8, bs: 16, at: 64 } as const

const authenticatorData = (traits: Traits, rpId: string, counter: number, lies: Lies, attested?: Uint8Array): Buffer => {
  const be = lies.backupEligible ?? traits.synced
  const flags =
    ((lies.up ?? traits.up) ? FLAG.up : 0) |
    ((lies.uv ?? traits.uv) ? FLAG.uv : 0) |
    (be ? FLAG.be : 0) |
    (be && traits.synced ? FLAG.bs : 0) |
    (attested === undefined ? 0 : FLAG.at)
  const count = Buffer.alloc(4)
  count.writeUInt32BE(lies.counter ?? counter)
  return Buffer.concat([sha256(lies.rpId ?? rpId), Buffer.from([flags]), count, attested ?? Buffer.alloc(0)])
}

const clientData = (type: string, challenge: string, origin: string, lies: Lies): Buffer =>
  Buffer.from(
    JSON.stringify({
      type: lies.type ?? type,
      challenge: lies.challenge ?? challenge,
      origin: lies.origin ?? origin,
      crossOrigin: lies.crossOrigin ?? false,
      ...(lies.topOrigin === undefined ? {} : { topOrigin: lies.topOrigin }),
    }),
  )

/** One authenticator with its credentials; `origin` is the page it is used on. */
export const authenticator = (origin: string, given: Partial<Traits> = {}) => {
  const traits: Traits = { algorithm: -7, uv: true, up: true, synced: false, counts: 1, attestation: 'none', transports: ['internal'], ...given }
  const held: Made[] = []

  const create = (options: Creation, lies: Lies = {}) => {
    const { challenge, rp, user } = options.publicKey
    const keys = newKeys(traits.algorithm)
    const id = lies.credentialId ?? b64(randomBytes(32))
    const made: Made = { id, rpId: rp.id, userHandle: user.id, keys, counter: traits.counts }
    held.push(made)
    const length = Buffer.alloc(2)
    length.writeUInt16BE(bytesOf(id).length)
    const attested = Buffer.concat([Buffer.alloc(16), length, bytesOf(id), lies.cose ?? keys.cose])
    const data = authenticatorData(traits, rp.id, made.counter, lies, attested)
    const client = clientData('webauthn.create', challenge, origin, lies)
    const signature = signed(traits.algorithm, keys.privateKey, Buffer.concat([data, sha256(client)]))
    if (lies.forged) signature[signature.length - 1] = (signature[signature.length - 1] ?? 0) ^ 1
    const packed = new Map<string, Cbor>([
      ['alg', lies.attestedBy ?? traits.algorithm],
      ['sig', signature],
    ])
    const object = new Map<string, Cbor>([
      ['fmt', lies.fmt ?? traits.attestation],
      ['attStmt', lies.statement ?? ((lies.fmt ?? traits.attestation) === 'packed' ? packed : new Map())],
      ['authData', data],
    ])
    return {
      id,
      rawId: id,
      type: 'public-key' as const,
      response: { clientDataJSON: b64(client), attestationObject: b64(cbor(object)), transports: [...traits.transports] },
      clientExtensionResults: { credProps: { rk: true } },
    }
  }

  const get = (options: Request, lies: Lies = {}) => {
    const { challenge, rpId, allowCredentials = [] } = options.publicKey
    const allowed = allowCredentials.map(({ id }) => id)
    const made = held.findLast((one) => one.rpId === rpId && (allowed.length === 0 || allowed.includes(one.id))) ?? held.at(-1)
    if (made === undefined) throw new Error('the authenticator holds no credential')
    made.counter += traits.counts
    const data = authenticatorData(traits, rpId, made.counter, lies)
    const client = clientData('webauthn.get', challenge, origin, lies)
    const signature = signed(traits.algorithm, made.keys.privateKey, Buffer.concat([data, sha256(client)]))
    if (lies.forged) signature[signature.length - 1] = (signature[signature.length - 1] ?? 0) ^ 1
    const id = lies.credentialId ?? made.id
    return {
      id,
      rawId: id,
      type: 'public-key' as const,
      response: {
        clientDataJSON: b64(client),
        authenticatorData: b64(data),
        signature: b64(signature),
        userHandle: lies.userHandle ?? made.userHandle,
      },
      clientExtensionResults: {},
    }
  }

  return { create, get, held, traits }
}
export type Authenticator = ReturnType<typeof authenticator>
