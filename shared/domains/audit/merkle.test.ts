import { expect, test } from 'vitest'
import { sha256 } from '#shared/platform/crypto/sha256'
import { consistencyProof, type Edge, EMPTY_EDGE, grow, inclusionProof, parentHash, proofHashes, rootOf, TILE_HEIGHT } from './merkle.ts'
import { isConsistent, isIncluded } from './merkle-verify.ts'

const leafOf = (n: number): Uint8Array => sha256(`\0entry ${n}`)
const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, n) => leafOf(n))

/** MTH of RFC 9162 section 2.1.1, word for word. */
const treeHash = (of: readonly Uint8Array[]): Uint8Array => {
  if (of.length < 2) return of[0] ?? sha256('')
  let k = 1
  while (k * 2 < of.length) k *= 2
  return parentHash(treeHash(of.slice(0, k)), treeHash(of.slice(k)))
}

/** A tree and what is stored of it. */
const treeOf = (of: readonly Uint8Array[], batch = of.length) => {
  const stored = new Map<string, Uint8Array>(of.map((hash, index) => [`0/${index}`, hash]))
  let edge: Edge = EMPTY_EDGE
  for (let at = 0; at < of.length; at += batch) {
    const grown = grow(edge, of.slice(at, at + batch))
    edge = grown.edge
    for (const { height, index, hash } of grown.completed) stored.set(`${height / TILE_HEIGHT}/${index}`, hash)
  }
  return { edge, get: (level: number, index: number) => stored.get(`${level}/${index}`) }
}
const SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 31, 255, 256, 257, 600, 1023]

test('the root is the one of the specification, in whatever steps the tree grows', () => {
  expect(Buffer.from(rootOf(EMPTY_EDGE)).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  for (const size of SIZES) {
    const expected = treeHash(leaves(size))
    for (const batch of [1, 7, size]) expect(rootOf(treeOf(leaves(size), batch).edge)).toEqual(expected)
  }
})

test('a tree that grows past 65,536 leaves stores each eighth level', () => {
  const { edge, get } = treeOf(leaves(65_537))
  expect(edge.hashes).toHaveLength(2)
  expect(get(2, 0)).toEqual(edge.hashes[0])
  expect(get(1, 255)).toBeDefined()
  expect(get(1, 256)).toBeUndefined()
})

test('an inclusion proof verifies for its leaf, index, size and root, and for no other', async () => {
  for (const size of SIZES) {
    const { edge, get } = treeOf(leaves(size))
    const root = rootOf(edge)
    for (const index of new Set([0, 1, Math.floor(size / 2), size - 2, size - 1].filter((n) => n >= 0 && n < size))) {
      const proof = proofHashes(inclusionProof(index, size), get)
      const stated = { index, size, leaf: leafOf(index), proof, root }
      expect(await isIncluded(sha256, stated)).toBe(true)
      expect(await isIncluded(sha256, { ...stated, leaf: leafOf(index + 1) })).toBe(false)
      expect(await isIncluded(sha256, { ...stated, root: sha256('another') })).toBe(false)
      expect(await isIncluded(sha256, { ...stated, index: size })).toBe(false)
      expect(await isIncluded(sha256, { ...stated, proof: [...proof, root] })).toBe(false)
      if (size > 1) {
        expect(await isIncluded(sha256, { ...stated, index: index === 0 ? 1 : index - 1 })).toBe(false)
        expect(await isIncluded(sha256, { ...stated, proof: proof.slice(1) })).toBe(false)
      }
    }
  }
})

test('a consistency proof verifies between its two trees, and not for a rewritten one', async () => {
  for (const to of SIZES) {
    const { edge, get } = treeOf(leaves(to))
    const toRoot = rootOf(edge)
    for (const from of new Set([0, ...SIZES].filter((size) => size <= to))) {
      const fromRoot = rootOf(treeOf(leaves(from)).edge)
      const proof = proofHashes(consistencyProof(from, to), get)
      const stated = { from, fromRoot, to, toRoot, proof }
      expect(await isConsistent(sha256, stated)).toBe(true)
      expect(await isConsistent(sha256, { ...stated, proof: [...proof, toRoot] })).toBe(false)
      if (from === 0) continue
      const rewritten = rootOf(treeOf([sha256('another'), ...leaves(from).slice(1)]).edge)
      expect(await isConsistent(sha256, { ...stated, fromRoot: rewritten })).toBe(false)
      if (from < to) {
        expect(await isConsistent(sha256, { ...stated, toRoot: sha256('another') })).toBe(false)
        expect(await isConsistent(sha256, { ...stated, proof: [] })).toBe(false)
        expect(await isConsistent(sha256, { ...stated, from: to, to: from })).toBe(false)
      }
    }
  }
})

test('a missing stored hash is an error, not another proof', () => {
  const { get } = treeOf(leaves(300))
  expect(() => proofHashes(inclusionProof(299, 300), (level, index) => (level === 1 ? undefined : get(level, index)))).toThrow(/hash 0 of level 1/)
})
