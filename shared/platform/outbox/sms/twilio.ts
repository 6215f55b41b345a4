// Text messages through Twilio's HTTP API.
import * as z from 'zod'
import { AppError } from '#shared/kernel/errors'
import { isPhoneNumber } from './phone.ts'
import type { Sms } from './sms.ts'

export type TwilioOptions = {
  readonly accountSid: string
  readonly authToken: string
  /** A number, or the id of a messaging service (`MG…`). */
  readonly from: string
  readonly baseUrl?: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
const MAX_ANSWER_CHARACTERS = 64 * 1024
/** Error codes about the number: it does not exist, is not mobile, cannot be reached, or its owner replied STOP. */
const NUMBER_ERRORS = new Set([21211, 21214, 21217, 21265, 21408, 21610, 21612, 21614, 21635])
const Failure = z.object({ code: z.int().optional(), status: z.int().optional() })

/** Why Twilio refused, by its error code: its text repeats the telephone number. */
export class TwilioFailure extends Error {
  constructor(status: number | undefined, code: number | undefined) {
    super(`Twilio answered ${status ?? 'nothing'}${code === undefined ? '' : `, code ${code}`}`)
    this.name = 'TwilioFailure'
  }
}

const codeIn = async (response: Response): Promise<number | undefined> => {
  const text = (await response.text()).slice(0, MAX_ANSWER_CHARACTERS)
  try {
    return Failure.parse(JSON.parse(text)).code
  } catch {
    return undefined
  }
}

/**
 * One attempt, and a retry when Twilio did not accept the first (429, 503): a message that may have been accepted is not sent again.
 * @see https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 */
export const twilioSms = ({ accountSid, authToken, from, baseUrl = 'https://api.twilio.com', timeoutMs = TIMEOUT_MS }: TwilioOptions): Sms => {
  const url = `${baseUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`
  const headers = {
    authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
    'content-type': 'application/x-www-form-urlencoded',
  }
  const post = (to: string, text: string, signal: AbortSignal): Promise<Response> => {
    const body = new URLSearchParams({ To: to, [from.startsWith('MG') ? 'MessagingServiceSid' : 'From']: from, Body: text })
    return fetch(url, { method: 'POST', headers, body, redirect: 'error', signal })
  }
  const sendOnce = async (to: string, text: string): Promise<void> => {
    const signal = AbortSignal.timeout(timeoutMs)
    let response = await post(to, text, signal)
    if (response.status === 429 || response.status === 503) {
      await response.body?.cancel()
      response = await post(to, text, signal)
    }
    const code = response.status === 201 ? undefined : await codeIn(response)
    if (response.status === 201) return void (await response.body?.cancel())
    throw new AppError(
      code !== undefined && NUMBER_ERRORS.has(code) ? 'sms_number_refused' : 'sms_failed',
      undefined,
      {},
      new TwilioFailure(response.status, code),
    )
  }
  return {
    send: async ({ to, text }) => {
      if (!isPhoneNumber(to)) throw new AppError('sms_number_refused')
      try {
        await sendOnce(to, text)
      } catch (error) {
        throw error instanceof AppError ? error : new AppError('sms_failed', undefined, {}, new TwilioFailure(undefined, undefined))
      }
    },
  }
}
