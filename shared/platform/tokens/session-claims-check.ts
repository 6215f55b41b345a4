// A hand-written check of session claims, because every request with a token needs it. session-claims-check.test.ts compares it with the declared
// schema.
import type { WireClaims } from './session-claims.schema.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const isText = (value: unknown): value is string => typeof value === 'string'
const isUuid = (value: unknown): boolean => isText(value) && UUID.test(value)
const isSeconds = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isWords = (value: unknown): boolean => Array.isArray(value) && value.every(isText)

export const isWireClaims = (payload: unknown): payload is WireClaims => {
  if (typeof payload !== 'object' || payload === null || Array.isArray(payload)) return false
  const p = payload as Readonly<Record<string, unknown>>
  return (
    isText(p.iss) &&
    isText(p.aud) &&
    isUuid(p.sub) &&
    isUuid(p.user_id) &&
    isText(p.email_id) &&
    isUuid(p.tenant_id) &&
    isText(p.project_id) &&
    isText(p.client_id) &&
    (p.tenant_domain === undefined || isText(p.tenant_domain)) &&
    p.token_type === 'default' &&
    (p.scope === undefined || isText(p.scope)) &&
    (p.scopes === undefined || isWords(p.scopes)) &&
    (p.roles === undefined || isWords(p.roles)) &&
    isUuid(p.jti) &&
    isUuid(p.sid) &&
    isSeconds(p.auth_time) &&
    isWords(p.amr) &&
    isText(p.acr) &&
    isSeconds(p.iat) &&
    isSeconds(p.nbf) &&
    isSeconds(p.exp)
  )
}
