// Verification of proofs (RFC 9162 section 2.1). Pure and free of the platform, because verifiers elsewhere use it: the hash is given by its caller.

/** SHA-256. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array | Promise<Uint8Array>

const concat = (prefix: number, ...parts: readonly Uint8Array[]): Uint8Array => {
  const bytes = new Uint8Array(1 + parts.reduce((sum, part) => sum + part.length, 0))
  bytes[0] = prefix
  let at = 1
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, n) => byte === b[n])
const half = (n: number): number => Math.floor(n / 2)
const isOdd = (n: number): boolean => n % 2 === 1
const isIndex = (n: number): boolean => Number.isSafeInteger(n) && n >= 0

export type Inclusion = {
  readonly index: number
  readonly size: number
  readonly leaf: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly root: Uint8Array
}

/** Whether the leaf hash is at that index of the tree with that root (section 2.1.3.2). */
export const isIncluded = async (sha256: Sha256, { index, size, leaf, proof, root }: Inclusion): Promise<boolean> => {
  if (!isIndex(index) || !isIndex(size) || index >= size) return false
  let [fn, sn, r] = [index, size - 1, leaf]
  for (const p of proof) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      r = await sha256(concat(1, p, r))
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else r = await sha256(concat(1, r, p))
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && sameBytes(r, root)
}

export type Consistency = {
  readonly from: number
  readonly fromRoot: Uint8Array
  readonly to: number
  readonly toRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the larger tree begins with the leaves of the smaller one (section 2.1.4.2). */
export const isConsistent = async (sha256: Sha256, { from, fromRoot, to, toRoot, proof }: Consistency): Promise<boolean> => {
  if (!isIndex(from) || !isIndex(to) || from > to) return false
  if (from === to) return proof.length === 0 && sameBytes(fromRoot, toRoot)
  if (from === 0) return proof.length === 0
  let [fn, sn] = [from - 1, to - 1]
  while (isOdd(fn)) [fn, sn] = [half(fn), half(sn)]
  // The smaller tree is perfect: its root is not in the proof.
  const [first, ...rest] = fn === 0 ? [fromRoot, ...proof] : proof
  if (first === undefined) return false
  let [fr, sr] = [first, first]
  for (const c of rest) {
    if (sn === 0) return false
    if (isOdd(fn) || fn === sn) {
      ;[fr, sr] = [await sha256(concat(1, c, fr)), await sha256(concat(1, c, sr))]
      while (!isOdd(fn) && fn !== 0) [fn, sn] = [half(fn), half(sn)]
    } else sr = await sha256(concat(1, sr, c))
    ;[fn, sn] = [half(fn), half(sn)]
  }
  return sn === 0 && sameBytes(fr, fromRoot) && sameBytes(sr, toRoot)
}
