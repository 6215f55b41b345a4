// The provider's answer comes back with the browser. It is judged here, noted, and handed to the page that asked for it; what it is worth `exchange-code` says.
import type * as z from 'zod'
import { atomically, SYSTEM_TENANT } from '#db/engine/tenant'
import { type FederationPage, type FederationState, findState, noteAnswer, takeState } from '#db/store/federation-states'
import { findTenant } from '#db/store/tenants'
import { FRONT_END_CALLBACK } from '#shared/domains/oauth/front-end'
import { byAnonymous, record } from '#shared/platform/audit/record'
import type { As, Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { CallbackQuery } from './callback.schema.ts'
import type { Ctx } from './group.ts'
import { codeHash, locate } from './state.ts'

type Query = z.output<typeof CallbackQuery>
/** What the page posts to the window that opened it, or carries to the UI's own page. */
export type Answer = Readonly<Record<string, string | boolean>>
/** `page`: begun on our own page, which goes on by itself; `links`: to connect what somebody has, not to sign in. */
export type Handed = {
  readonly origin: string
  readonly answer: Answer
  readonly page: FederationPage | null
  readonly links: boolean
  /** Where at that origin a page waits for it. */
  readonly path: string
}

/** At a front end that holds a login challenge its own callback; at AuthSec's UI that one's. */
const pathOf = ({ loginChallenge }: Pick<FederationState, 'loginChallenge'>): string =>
  loginChallenge === null ? '/uflow/oidc/callback' : FRONT_END_CALLBACK

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

/**
 * RFC 9207 section 2.4: an answer of another issuer is refused, and one that does not say whose it is where its provider always does. Microsoft's many
 * directories share metadata that names the directory by a place-holder.
 */
export const isFromIssuer = (state: Pick<FederationState, 'issuer' | 'announcesIssuer'>, iss: string | undefined): boolean => {
  if (iss === undefined) return !state.announcesIssuer
  const [before, after] = state.issuer.split('{tenantid}')
  if (before === undefined || after === undefined) return iss === state.issuer
  return new RegExp(`^${escaped(before)}[0-9a-f-]{36}${escaped(after)}$`).test(iss)
}

/** Theirs, for people to read: one line, no marks that change the direction of what follows. */
const plain = (text: string | undefined): string => (text ?? '').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, ' ').slice(0, 300)

const domainOf = async (t: Parameters<typeof findTenant>[0], state: FederationState): Promise<string> =>
  state.tenantDomain ?? (state.tenantId === SYSTEM_TENANT ? '' : ((await findTenant(t))?.domain ?? ''))

/** What to hand to whom; undefined for an answer that this browser did not ask for, that came too late or twice. */
export const receive = async (ctx: Ctx, query: Query): Promise<Handed | undefined> => {
  const found = query.state === undefined ? undefined : locate(ctx, query.state)
  if (query.state === undefined || found === undefined) return undefined
  const { t, key } = found
  const now = ctx.clock.now()
  const state = await findState(t, key, now)
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
  if (!(await atomically(t, (tx) => noteAnswer(tx, key, codeHash(ctx, query.state ?? '', code), now)))) return undefined
  return { ...to, answer: { success: true, code, state: query.state, tenant_domain: await domainOf(t, state) } }
}

/** The dance is over. That somebody said no at the provider is nothing for the record; an answer that is not of the provider is. */
const end = (ctx: Ctx, { t, key }: NonNullable<ReturnType<typeof locate>>, isSuspect: boolean): Promise<void> =>
  atomically(t, async (tx) => {
    const taken = await takeState(tx, key, ctx.clock.now())
    if (taken === undefined || !isSuspect) return
    await record(tx, ctx, { event: 'user.signed_in', outcome: 'refused', reason: 'federation_failed', actor: byAnonymous })
  })

/** What goes on from here is loaded when a browser comes back. */
export const answerCallback = async (
  ctx: Ctx,
  query: Query,
  principal: User | undefined,
): Promise<Sent<As<200, string>> | Sent<As<303, undefined>>> => {
  const handed = await receive(ctx, query)
  if (handed !== undefined && handed.page !== null) {
    const isAnswered = handed.answer.success === true
    if (handed.links) return (await import('./own.ts')).linkOnPage(ctx, query, isAnswered, principal)
    return (await import('./page-end.ts')).goOn(ctx, handed.page, query, isAnswered, principal)
  }
  const { callbackPage } = await import('./callback.page.tsx')
  return callbackPage(ctx, handed)
}
