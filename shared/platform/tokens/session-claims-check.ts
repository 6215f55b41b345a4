// Whether a payload is a session's claims, checked by hand: every request with a token passes here. session-claims-check.test.ts holds it to the declared schema.
import { isUuid } from '#shared/kernel/ids'
import type { WireClaims } from './session-claims.schema.ts'

const isText = (value: unknown): value is string => typeof value === 'string'
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
