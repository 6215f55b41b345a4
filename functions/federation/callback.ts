// Receives a provider's response, checks its issuer, stores the digest of its code, and passes it on. `exchange-code` redeems it.
import type * as z from 'zod'
import { atomically, SYSTEM_TENANT } from '#db/engine/tenant'
import { consumeFederationState, type FederationState, findFederationState, recordFederationAnswer } from '#db/store/federation-states'
import { findTenant } from '#db/store/tenants'
import { FRONT_END_CALLBACK } from '#shared/domains/oauth/front-end'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import type { HttpResult, StatusResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { CallbackQuery } from './callback.schema.ts'
import type { CallbackHandoff } from './callback-handoff.ts'
import type { Ctx } from './group.ts'
import { codeHash, locateFederationState } from './state.ts'

type Query = z.output<typeof CallbackQuery>
/** The callback page of AuthSec's UI, or of a front end with a login challenge. */
const pathOf = ({ loginChallenge }: Pick<FederationState, 'loginChallenge'>): string =>
  loginChallenge === null ? '/uflow/oidc/callback' : FRONT_END_CALLBACK

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/**
 * RFC 9207 section 2.4: refuses a response of another issuer, and a response without `iss` from a provider that always sends it. Microsoft's directories share
 * metadata whose issuer has a placeholder for the directory.
 */
export const isFromIssuer = (state: Pick<FederationState, 'issuer' | 'announcesIssuer'>, iss: string | undefined): boolean => {
  if (iss === undefined) return !state.announcesIssuer
  const [before, after] = state.issuer.split('{tenantid}')
  if (before === undefined || after === undefined) return iss === state.issuer
  return new RegExp(`^${escaped(before)}[0-9a-f-]{36}${escaped(after)}$`).test(iss)
}

/** A provider's text for display: one line, without control and formatting characters. */
const plain = (text: string | undefined): string => (text ?? '').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, ' ').slice(0, 300)

const domainOf = async (t: Parameters<typeof findTenant>[0], state: FederationState): Promise<string> =>
  state.tenantDomain ?? (state.tenantId === SYSTEM_TENANT ? '' : ((await findTenant(t))?.domain ?? ''))

/** Returns what to pass on, or undefined for a response that this browser did not start, or that is late or repeated. */
export const receiveCallback = async (ctx: Ctx, query: Query): Promise<CallbackHandoff | undefined> => {
  const found = query.state === undefined ? undefined : locateFederationState(ctx, query.state)
  if (query.state === undefined || found === undefined) return undefined
  const { t, key } = found
  const now = ctx.clock.now()
  const state = await findFederationState(t, key, now)
  if (state === undefined) return undefined
  const { code } = query
  const to = { origin: state.origin, page: state.page, links: state.action === 'link', path: pathOf(state) }
  const refusal =
    query.error ?? (isFromIssuer(state, query.iss) ? undefined : 'issuer_mismatch') ?? (code === undefined ? 'invalid_response' : undefined)
  if (refusal !== undefined || code === undefined) {
    await end(ctx, found, query.error === undefined)
    const description = query.error === undefined ? '' : plain(query.error_description)
    return { ...to, answer: { success: false, error: plain(refusal), description } }
  }
  if (!(await atomically(t, (tx) => recordFederationAnswer(tx, key, codeHash(ctx, query.state ?? '', code), now)))) return undefined
  return { ...to, answer: { success: true, code, state: query.state, tenant_domain: await domainOf(t, state) } }
}

/** Ends the flow. A denial at the provider is not audited; a response of another issuer is. */
const end = (ctx: Ctx, { t, key }: NonNullable<ReturnType<typeof locateFederationState>>, isSuspect: boolean): Promise<void> =>
  atomically(t, async (tx) => {
    const taken = await consumeFederationState(tx, key, ctx.clock.now())
    if (taken === undefined || !isSuspect) return
    await recordEvent(tx, ctx, { event: 'user.signed_in', outcome: 'refused', reason: 'federation_failed', actor: byAnonymous })
  })

/** Handles the callback. The continuations are imported on demand. */
export const answerCallback = async (
  ctx: Ctx,
  query: Query,
  principal: User | undefined,
): Promise<HttpResult<StatusResult<200, string>> | HttpResult<StatusResult<303, undefined>>> => {
  const handed = await receiveCallback(ctx, query)
  if (handed !== undefined && handed.page !== null) {
    const isAnswered = handed.answer.success === true
    if (handed.links) return (await import('./own-sign-ins.ts')).finishLinkOnPage(ctx, query, isAnswered, principal)
    return (await import('./page-end.ts')).finishPageFlow(ctx, handed.page, query, isAnswered, principal)
  }
  const { federationCallbackPage } = await import('./callback.page.tsx')
  return federationCallbackPage(ctx, handed)
}
