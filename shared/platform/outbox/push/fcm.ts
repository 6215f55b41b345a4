// Push messages to phones by Firebase Cloud Messaging, HTTP v1 (iOS through Apple's service).
import { setTimeout as sleep } from 'node:timers/promises'
import { importPKCS8, SignJWT } from 'jose'
import * as z from 'zod'
import { type Clock, secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { ConfigError } from '#shared/kernel/config'
import { PUSH_TIMEOUT_MS, type Push, type PushMessage, type PushOutcome, type PushTarget, retryAfterSeconds } from './push.ts'

/** The members of a Google key file that are needed here. */
const ServiceAccount = z.object({
  project_id: z.string().regex(/^[a-z0-9-]+$/),
  client_email: z.string().min(1),
  private_key: z.string().startsWith('-----BEGIN PRIVATE KEY-----'),
  token_uri: z.url({ protocol: /^https?$/ }),
})
export type ServiceAccount = z.output<typeof ServiceAccount>

/**
 * Parses the key file's JSON, plain or base64.
 * @throws ConfigError, which never contains the value
 */
export const parseServiceAccount = (text: string): ServiceAccount => {
  const json = text.trimStart().startsWith('{') ? text : Buffer.from(text, 'base64').toString('utf8')
  try {
    return ServiceAccount.parse(JSON.parse(json))
  } catch {
    throw new ConfigError('FCM_SERVICE_ACCOUNT: must be the JSON of a service account, plain or in base64')
  }
}

const SCOPE = 'https://www.googleapis.com/auth/firebase.messaging'
const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ASSERTION_SECONDS = 600
/** An access token is not used in its last minute. */
const MARGIN_SECONDS = 60
/** Longest Retry-After that is waited for. */
const LONGEST_WAIT_SECONDS = 1

const Granted = z.object({ access_token: z.string().min(1), expires_in: z.number().positive() })
const Refused = z.object({
  error: z.object({
    status: z.string().optional(),
    details: z
      .array(z.object({ errorCode: z.string().optional(), fieldViolations: z.array(z.object({ field: z.string().optional() })).optional() }))
      .optional(),
  }),
})

type Options = {
  readonly account: ServiceAccount
  readonly clock: Clock
  /** Base URL of the service; Google's by default. */
  readonly endpoint?: string
  readonly timeoutMs?: number
}
type Token = { readonly value: string; readonly until: Date }

/**
 * Exchanges a signed assertion for an access token (RFC 7523 section 2.1). One request at a time; the token is cached until shortly before it
 * expires.
 */
const accessTokens = ({ account, clock }: Options) => {
  let kept: Promise<Token> | undefined
  const request = async (signal: AbortSignal): Promise<Token> => {
    const now = unixSeconds(clock.now())
    const assertion = await new SignJWT({ scope: SCOPE })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(account.client_email)
      .setAudience(account.token_uri)
      .setIssuedAt(now)
      .setExpirationTime(now + ASSERTION_SECONDS)
      .sign(await importPKCS8(account.private_key, 'RS256'))
    const response = await fetch(account.token_uri, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: GRANT, assertion }),
      redirect: 'error',
      signal,
    })
    if (!response.ok) throw new Error(`token endpoint answered ${response.status}`)
    const { access_token, expires_in } = Granted.parse(await response.json())
    return { value: access_token, until: secondsAfter(clock.now(), expires_in - MARGIN_SECONDS) }
  }
  return {
    get: async (signal: AbortSignal): Promise<string> => {
      kept ??= request(signal)
      const current = kept
      const token = await current.catch((error: unknown) => {
        if (kept === current) kept = undefined
        throw error
      })
      if (clock.now() < token.until) return token.value
      // Of several callers with an expired token, only the first requests a new one.
      if (kept === current) kept = request(signal)
      return (await kept).value
    },
    forget: (): void => {
      kept = undefined
    },
  }
}

/** The message in the format of FCM's `projects.messages`. */
const messageOf = ({ token }: PushTarget, { title, body, data, ttlSeconds }: PushMessage, expiresAt: Date) => ({
  message: {
    token,
    notification: { title, body },
    data,
    android: { priority: 'HIGH', ttl: `${ttlSeconds}s` },
    apns: { headers: { 'apns-priority': '10', 'apns-expiration': String(unixSeconds(expiresAt)) } },
  },
})

/** `UNREGISTERED` means that no app instance has the token any more; a malformed token never had one. */
const outcomeOf = async (response: Response, now: Date): Promise<PushOutcome> => {
  if (response.ok) {
    await response.body?.cancel()
    return { result: 'sent' }
  }
  const { error } = Refused.safeParse(await response.json().catch(() => undefined)).data ?? { error: {} }
  const details = error.details ?? []
  const code = details.find(({ errorCode }) => errorCode !== undefined)?.errorCode ?? error.status ?? `status_${response.status}`
  const blamesToken = details.some(({ fieldViolations }) => fieldViolations?.some(({ field }) => field === 'message.token'))
  if (code === 'UNREGISTERED' || (response.status === 400 && blamesToken)) return { result: 'gone' }
  const seconds = retryAfterSeconds(response.headers.get('retry-after'), now)
  return { result: 'failed', reason: code, ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }) }
}

const isTransient = (status: number): boolean => status === 429 || status >= 500

/** Sends a message with at most one retry: with a new access token after a 401, or after a short Retry-After. */
export const fcmPush = (options: Options): Push => {
  const { account, clock, endpoint = 'https://fcm.googleapis.com', timeoutMs = PUSH_TIMEOUT_MS } = options
  const tokens = accessTokens(options)
  const url = `${endpoint}/v1/projects/${account.project_id}/messages:send`

  const post = async (target: PushTarget, message: PushMessage, signal: AbortSignal): Promise<Response> =>
    fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${await tokens.get(signal)}`, 'content-type': 'application/json' },
      body: JSON.stringify(messageOf(target, message, secondsAfter(clock.now(), message.ttlSeconds))),
      redirect: 'error',
      signal,
    })

  const shouldRetry = async (response: Response, outcome: PushOutcome): Promise<boolean> => {
    if (outcome.result !== 'failed') return false
    if (response.status === 401) tokens.forget()
    const wait = outcome.retryAfterSeconds ?? LONGEST_WAIT_SECONDS
    if (response.status !== 401 && (!isTransient(response.status) || wait > LONGEST_WAIT_SECONDS)) return false
    if (response.status !== 401) await sleep(wait * 1000)
    return true
  }

  return {
    send: async (target, message) => {
      const signal = AbortSignal.timeout(timeoutMs)
      try {
        const response = await post(target, message, signal)
        const outcome = await outcomeOf(response, clock.now())
        return (await shouldRetry(response, outcome)) ? await outcomeOf(await post(target, message, signal), clock.now()) : outcome
      } catch (error) {
        return { result: 'failed', reason: signal.aborted ? 'timeout' : error instanceof Error ? error.name : 'unknown' }
      }
    },
  }
}
