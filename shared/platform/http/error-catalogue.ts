// The catalogue of errors, from shared/kernel/errors.ts: for docs/errors.md and for the page that a problem's `type` leads to.
import { STATUS_CODES } from 'node:http'
import { ERRORS, type ErrorCode } from '#shared/kernel/errors'
import { oauthName } from './problem.ts'

const CODES = Object.keys(ERRORS) as ErrorCode[]
/** 499 is the customary status of a request that the client ended. */
const meaningOf = (status: number): string => (status === 499 ? 'Client Closed Request' : (STATUS_CODES[status] ?? ''))

/** What a client does about a status, unless the code says more. */
const ADVICE: Readonly<Record<number, string>> = {
  400: 'Correct the request. The member field names the part that was refused, where there is one. The same request fails again.',
  401: 'Authenticate, or sign in again. WWW-Authenticate states what is missing.',
  403: 'Ask an administrator for the permission. The same request fails again until it is granted.',
  404: 'Check the identifier. An object of another organisation is not found either.',
  405: 'Use a method that Allow lists.',
  408: 'Send the request again.',
  409: 'Read the current state, resolve the conflict, then send a changed request.',
  410: 'It is gone for good. Do not send the request again.',
  412: 'Read the resource again, apply the change to it, and send the new ETag in If-Match.',
  413: 'Send or request less at once.',
  421: 'Use the host name that this deployment serves.',
  428: 'Fulfil the stated precondition, then send the request again.',
  429: 'Wait for the seconds in Retry-After, then send the request again.',
  431: 'Send fewer or shorter headers.',
  499: 'Nothing to do: the connection was closed before the whole request arrived.',
  500: 'Report the request_id to the operator.',
  501: 'This server does not offer it.',
  503: 'Wait for the seconds in Retry-After, then send the request again.',
}

type Advice = {
  readonly meaning: string
  readonly advice: string
  /** The name at the endpoints of the authorization server, where it differs from the code. */
  readonly oauth: string | undefined
}

export const adviceFor = (code: ErrorCode): Advice => {
  const { status } = ERRORS[code]
  const oauth = oauthName(code)
  return {
    meaning: meaningOf(status),
    advice: ADVICE[status] ?? 'Correct the request.',
    oauth: oauth === code || oauth === 'invalid_request' ? undefined : oauth,
  }
}

/** All codes by status. */
export const CATALOGUE: readonly { readonly status: number; readonly meaning: string; readonly codes: readonly ErrorCode[] }[] = [
  ...new Set(CODES.map((code) => ERRORS[code].status)),
]
  .toSorted((a, b) => a - b)
  .map((status) => ({ status, meaning: meaningOf(status), codes: CODES.filter((code) => ERRORS[code].status === status).toSorted() }))
