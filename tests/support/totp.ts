// An independent authenticator app for tests: RFC 4226 and RFC 6238 on node:crypto, so that the server's codes are checked by other code.
import { createHmac } from 'node:crypto'

const fromBase32 = (text: string): Buffer => {
  const bits = [...text].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}

/** The code that the app displays at a time, or some steps away from it. */
export const appCode = (seed: string, at: Date, stepsAway = 0): string => {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(Math.floor(at.getTime() / 30_000) + stepsAway))
  const mac = createHmac('sha1', fromBase32(seed)).update(counter).digest()
  const offset = (mac.at(-1) ?? 0) & 0xf
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, '0')
}

/** Six digits that differ from all codes of the nearby steps. */
export const noCode = (seed: string, at: Date, n = 0): string => {
  const near = new Set([-3, -2, -1, 0, 1, 2, 3].map((away) => appCode(seed, at, away)))
  return [...Array(20).keys()].map((k) => String(100_000 + k + n * 20)).find((code) => !near.has(code)) ?? '000000'
}
