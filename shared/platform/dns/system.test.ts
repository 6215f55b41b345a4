// The real resolver against a real name server over UDP (RFC 1035 section 4).
import { createSocket, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { MAX_TXT_RECORDS } from './resolver.ts'
import { systemTxtResolver } from './system.ts'

const TXT = 16
/** Records by name, each of one or more parts. Other names do not exist; `silent` is never answered. */
const ZONE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  '_authsec-challenge.acme.com': [['v=spf1 -all'], ['authsec-domain-', 'verification=abc']],
  'empty.acme.com': [],
  'many.acme.com': Array.from({ length: MAX_TXT_RECORDS + 2 }, (_, n) => [`${n}`]),
}

const nameIn = (message: Buffer): { readonly name: string; readonly end: number } => {
  const labels: string[] = []
  let at = 12
  for (let size = message.readUInt8(at); size > 0; size = message.readUInt8(at)) {
    labels.push(message.subarray(at + 1, at + 1 + size).toString('latin1'))
    at += size + 1
  }
  return { name: labels.join('.').toLowerCase(), end: at + 5 }
}

const record = (parts: readonly string[]): Buffer => {
  const data = Buffer.concat(parts.map((part) => Buffer.concat([Buffer.from([part.length]), Buffer.from(part)])))
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(TXT, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

const answer = (message: Buffer): Buffer | undefined => {
  const { name, end } = nameIn(message)
  if (name.startsWith('silent')) return undefined
  const records = ZONE[name]
  const head = Buffer.from(message.subarray(0, 12))
  const failed = name.startsWith('broken') ? 2 : records === undefined ? 3 : 0
  head.writeUInt16BE(0x8180 | failed, 2)
  head.writeUInt16BE(records?.length ?? 0, 6)
  head.writeUInt16BE(0, 8)
  head.writeUInt16BE(0, 10)
  return Buffer.concat([head, message.subarray(12, end), ...(records ?? []).map(record)])
}

let server: Socket
const requested: string[] = []
let address = ''
beforeAll(async () => {
  server = createSocket('udp4')
  server.on('message', (message, from) => {
    requested.push(nameIn(message).name)
    const reply = answer(message)
    if (reply !== undefined) server.send(reply, from.port, from.address)
  })
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve))
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())))

test('returns all records of a name, each with its parts joined', async () => {
  expect(await systemTxtResolver([address]).txt('_authsec-challenge.acme.com')).toEqual(['v=spf1 -all', 'authsec-domain-verification=abc'])
})

test('a missing name and a name without TXT records are both none', async () => {
  const resolver = systemTxtResolver([address])
  expect([await resolver.txt('absent.acme.com'), await resolver.txt('empty.acme.com')]).toEqual(['none', 'none'])
})

test('the name is looked up without the host’s search domains', async () => {
  requested.length = 0
  await systemTxtResolver([address]).txt('absent.acme.com')
  expect(new Set(requested)).toEqual(new Set(['absent.acme.com']))
})

test('the number of records is bounded', async () => {
  const records = await systemTxtResolver([address]).txt('many.acme.com')
  expect(records === 'unreachable' ? 0 : records.length).toBeLessThanOrEqual(MAX_TXT_RECORDS)
})

test('a failing, silent or absent server is unreachable, and nothing is thrown', async () => {
  const resolver = systemTxtResolver([address])
  expect(await resolver.txt('broken.acme.com')).toBe('unreachable')
  expect(await resolver.txt('silent.acme.com')).toBe('unreachable')
  expect(await systemTxtResolver(['127.0.0.1:1']).txt('acme.com')).toBe('unreachable')
}, 60_000)
