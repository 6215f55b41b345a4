// Both senders against their contract, and Twilio's documented responses from a test double of its API.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { localSms } from './local.ts'
import { maskedPhone, normalisePhone } from './phone.ts'
import { smsContract } from './sms.contract.ts'
import type { SmsMessage } from './sms.ts'
import { twilioSms } from './twilio.ts'

const SID = 'AC00000000000000000000000000000000'
const TOKEN = 'a-secret-token-of-the-account'
const FROM = '+15005550006'
let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

type Reply = { readonly status: number; readonly body: unknown } | 'hangs' | 'breaks'
type Posted = { readonly path: string; readonly authorization: string | undefined; readonly form: URLSearchParams }

/** Answers with the given replies in order, then accepts everything. */
const twilio = async (replies: readonly Reply[] = [], timeoutMs = 5000) => {
  const posted: Posted[] = []
  const turn = [...replies]
  const made = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    posted.push({ path: request.url ?? '', authorization: request.headers.authorization, form: new URLSearchParams(text) })
    const reply = turn.shift() ?? { status: 201, body: { sid: 'SM1', status: 'queued', error_code: null } }
    if (reply === 'hangs') return
    if (reply === 'breaks') return void request.socket.destroy()
    response.writeHead(reply.status, { 'content-type': 'application/json' }).end(JSON.stringify(reply.body))
  })
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  const baseUrl = `http://127.0.0.1:${(made.address() as AddressInfo).port}`
  const sms = twilioSms({ accountSid: SID, authToken: TOKEN, from: FROM, baseUrl, timeoutMs })
  const received = (): SmsMessage[] => posted.map(({ form }) => ({ to: form.get('To') ?? '', text: form.get('Body') ?? '' }))
  return { sms, posted, received, baseUrl }
}

smsContract('local', async () => {
  const sms = localSms(fixedClock('2026-01-01T00:00:00Z'))
  return { sms, received: () => sms.outbox }
})
smsContract('twilio', () => twilio())

const MESSAGE = { to: '+491701234567', text: 'Code 987654' }
const failure = (code: number, status: number) => ({
  status,
  body: { code, message: `The 'To' number ${MESSAGE.to} is not valid`, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
})

test('twilio: the request has the account’s credentials and the API’s form', async () => {
  const { sms, posted } = await twilio()
  await sms.send(MESSAGE)
  expect(posted).toHaveLength(1)
  expect(posted[0]?.path).toBe(`/2010-04-01/Accounts/${SID}/Messages.json`)
  expect(posted[0]?.authorization).toBe(`Basic ${Buffer.from(`${SID}:${TOKEN}`).toString('base64')}`)
  expect(Object.fromEntries(posted[0]?.form ?? [])).toEqual({ To: MESSAGE.to, From: FROM, Body: MESSAGE.text })
})

test('twilio: a messaging service replaces the sender’s number', async () => {
  const { posted, baseUrl } = await twilio()
  await twilioSms({ accountSid: SID, authToken: TOKEN, from: 'MG123', baseUrl }).send(MESSAGE)
  expect(Object.fromEntries(posted[0]?.form ?? [])).toEqual({ To: MESSAGE.to, MessagingServiceSid: 'MG123', Body: MESSAGE.text })
})

test.each([
  [21211, 400, 'sms_number_refused'],
  [21610, 400, 'sms_number_refused'],
  [21614, 400, 'sms_number_refused'],
  [21408, 403, 'sms_number_refused'],
  [20003, 401, 'sms_failed'],
  [20404, 404, 'sms_failed'],
  [21606, 400, 'sms_failed'],
  [20500, 500, 'sms_failed'],
])('twilio: error %i with status %i is %s, and the error contains neither number nor text', async (code, status, expected) => {
  const { sms, posted } = await twilio([failure(code, status)])
  const error = await sms.send(MESSAGE).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: expected, cause: { message: `Twilio answered ${status}, code ${code}` } })
  const text = `${String(error)} ${JSON.stringify(error)} ${String((error as Error).cause)}`
  for (const secret of [MESSAGE.to, MESSAGE.text, TOKEN]) expect(text).not.toContain(secret)
  expect(posted).toHaveLength(1)
})

test.each([
  [429, 20429],
  [503, 20503],
])('twilio: %i means that the message was not accepted, so it is retried once', async (status, code) => {
  const once = await twilio([failure(code, status)])
  await once.sms.send(MESSAGE)
  expect(once.posted).toHaveLength(2)
  server?.close()
  const twice = await twilio([failure(code, status), failure(code, status)])
  await expect(twice.sms.send(MESSAGE)).rejects.toMatchObject({ code: 'sms_failed' })
  expect(twice.posted).toHaveLength(2)
})

test.each(['hangs', 'breaks'] as const)('twilio: a request that %s is not retried, because the message may have been accepted', async (reply) => {
  const { sms, posted } = await twilio([reply], 300)
  await expect(sms.send(MESSAGE)).rejects.toMatchObject({ code: 'sms_failed' })
  expect(posted).toHaveLength(1)
})

test('twilio: a response that is not JSON is sms_failed', async () => {
  const { sms } = await twilio([{ status: 502, body: '<html>' }])
  await expect(sms.send(MESSAGE)).rejects.toMatchObject({ code: 'sms_failed' })
})

test('numbers are normalised from what people write, and masked except their ends', () => {
  expect(normalisePhone('+49 (170) 123-45.67')).toBe('+491701234567')
  expect(maskedPhone('+491701234567')).toBe('+491***4567')
})
