// The Merkle tree of RFC 9162 section 2.1, over leaves that are already hashed. Pure. Stored are the leaves and every eighth level above them, so that a tile of 256
// hashes (C2SP tlog-tiles) is a range of rows and a proof reads few of them.
import { sha256 } from '#shared/platform/crypto/sha256'

/** The perfect subtree of 2^height leaves whose first leaf is index * 2^height. */
export type Subtree = { readonly height: number; readonly index: number }
export type HashedSubtree = Subtree & { readonly hash: Uint8Array }

export const HASH_BYTES = 32
/** Levels between stored ones; also the binary logarithm of a tile's width. */
export const TILE_HEIGHT = 8
export const TILE_WIDTH = 2 ** TILE_HEIGHT

export const EMPTY_ROOT = sha256('')
const NODE_PREFIX = Uint8Array.of(1)
export const parentHash = (left: Uint8Array, right: Uint8Array): Uint8Array => sha256(Buffer.concat([NODE_PREFIX, left, right]))

/** Hashes of neighbours, smallest last, as one hash: the root of the leaves that they cover. */
const fold = (hashes: readonly Uint8Array[]): Uint8Array => {
  const [last, ...left] = hashes.toReversed()
  return left.reduce((right, one) => parentHash(one, right), last ?? EMPTY_ROOT)
}

/** A tree that can grow: its size, and the hashes of the perfect subtrees that it consists of, largest first. */
export type Edge = { readonly size: number; readonly hashes: readonly Uint8Array[] }
export const EMPTY_EDGE: Edge = { size: 0, hashes: [] }
export const rootOf = (edge: Edge): Uint8Array => fold(edge.hashes)

/** The tree with further leaves, and the stored subtrees that they complete. */
export const grow = (edge: Edge, leaves: readonly Uint8Array[]): { readonly edge: Edge; readonly completed: readonly HashedSubtree[] } => {
  const hashes = [...edge.hashes]
  const completed: HashedSubtree[] = []
  let { size } = edge
  for (const leaf of leaves) {
    let hash = leaf
    let height = 0
    for (let index = size; index % 2 === 1; index = (index - 1) / 2) {
      hash = parentHash(hashes.pop() ?? EMPTY_ROOT, hash)
      height += 1
      if (height % TILE_HEIGHT === 0) completed.push({ height, index: (index - 1) / 2, hash })
    }
    hashes.push(hash)
    size += 1
  }
  return { edge: { size, hashes }, completed }
}

/** The perfect subtrees that cover the leaves from `begin` to before `end`, largest first; `begin` is the left edge of such a range in a tree. */
const cover = (begin: number, end: number): Subtree[] => {
  const found: Subtree[] = []
  for (let at = begin; at < end; ) {
    let height = 0
    while (at % 2 ** (height + 1) === 0 && at + 2 ** (height + 1) <= end) height += 1
    found.push({ height, index: at / 2 ** height })
    at += 2 ** height
  }
  return found
}

/** One hash of a proof: the root of these subtrees. */
export type ProofPart = readonly Subtree[]

/** The largest power of two below `n`. */
const split = (n: number): number => {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

/** RFC 9162 section 2.1.3.1. */
export const inclusionProof = (leaf: number, size: number): ProofPart[] => {
  const path = (begin: number, end: number): ProofPart[] => {
    if (end - begin <= 1) return []
    const middle = begin + split(end - begin)
    return leaf < middle ? [...path(begin, middle), cover(middle, end)] : [...path(middle, end), cover(begin, middle)]
  }
  return path(0, size)
}

/** RFC 9162 section 2.1.4.1. The proof from an empty tree, or to the same size, has no hashes. */
export const consistencyProof = (from: number, to: number): ProofPart[] => {
  const path = (begin: number, end: number, isWhole: boolean): ProofPart[] => {
    if (from === end) return isWhole ? [] : [cover(begin, end)]
    const middle = begin + split(end - begin)
    return from <= middle ? [...path(begin, middle, isWhole), cover(middle, end)] : [...path(middle, end, false), cover(begin, middle)]
  }
  return from === 0 || from >= to ? [] : path(0, to, true)
}

/** Stored hashes that are next to each other: `count` of a level (0 is the leaves), from `first`. */
export type StoredRange = { readonly level: number; readonly first: number; readonly count: number }

export const storedRange = ({ height, index }: Subtree): StoredRange => {
  const above = height % TILE_HEIGHT
  return { level: (height - above) / TILE_HEIGHT, first: index * 2 ** above, count: 2 ** above }
}

/** The root of neighbours that form a perfect subtree. */
const perfect = (hashes: readonly Uint8Array[]): Uint8Array => {
  let level = hashes
  while (level.length > 1)
    level = Array.from({ length: level.length / 2 }, (_, n) => parentHash(level[2 * n] ?? EMPTY_ROOT, level[2 * n + 1] ?? EMPTY_ROOT))
  return level[0] ?? EMPTY_ROOT
}

/** The hashes of a proof, from the stored hashes of its ranges. @throws Error when one is missing */
export const proofHashes = (parts: readonly ProofPart[], stored: (level: number, index: number) => Uint8Array | undefined): Uint8Array[] => {
  const hashOf = (subtree: Subtree): Uint8Array => {
    const { level, first, count } = storedRange(subtree)
    return perfect(
      Array.from({ length: count }, (_, n) => {
        const hash = stored(level, first + n)
        if (hash === undefined) throw new Error(`hash ${first + n} of level ${level} of the audit log's tree is missing`)
        return hash
      }),
    )
  }
  return parts.map((part) => fold(part.map(hashOf)))
}
