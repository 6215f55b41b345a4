// Consent on a tenant's own front end. Only the person of the request may read and decide a challenge; knowing its text is not enough.
import type * as z from 'zod'
import { findClient } from '#db/store/clients'
import type { ConsentPrompt, StoredAuthorizationRequest } from '#db/store/oauth-authorizations'
import { answerChallenge, findChallenge, invalidChallenge } from '#shared/domains/oauth/challenge-answer'
import { frontEndOf } from '#shared/domains/oauth/front-end'
import { canonicalJson } from '#shared/kernel/canonical-json'
import { AppError } from '#shared/kernel/errors'
import { byUser } from '#shared/platform/audit/audit-log'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { AcceptConsent, ConsentQuestion } from './consent.schema.ts'
import type { Ctx } from './group.ts'

/** @throws AppError consent_challenge_invalid, origin_not_verified */
export const redirectToConsent = async (ctx: Ctx, text: string): Promise<HttpResult<undefined>> => {
  const { t, row } = await findChallenge(ctx, 'consent', text)
  const client = await findClient(t, row.clientId)
  if (client === undefined) throw invalidChallenge('consent')
  const frontEnd = await frontEndOf(ctx, t.tenantId, client)
  if (frontEnd.kind !== 'at') throw new AppError('origin_not_verified')
  return new HttpResult(undefined, { headers: { Location: `${frontEnd.base}/oidc/consent?${new URLSearchParams({ consent_challenge: text })}` } })
}

type PendingConsent = { readonly row: StoredAuthorizationRequest; readonly consent: ConsentPrompt }

/** Any session of the person of the request will do. @throws AppError consent_challenge_invalid */
const requirePendingConsent = async (ctx: Ctx, caller: User, text: string): Promise<PendingConsent> => {
  const { t, row } = await findChallenge(ctx, 'consent', text)
  if (t.tenantId !== caller.tenantId || row.userId !== caller.userId || row.consent === null) throw invalidChallenge('consent')
  return { row, consent: row.consent }
}

/** @throws AppError consent_challenge_invalid */
export const showConsent = async (ctx: Ctx, caller: User, text: string): Promise<z.input<typeof ConsentQuestion>> => {
  const { row, consent } = await requirePendingConsent(ctx, caller, text)
  const { clientName, redirectHost, owner, resource, scopes, details, types } = consent
  return {
    consent_challenge: text,
    subject: caller.email,
    client: {
      client_id: row.clientId,
      client_name: clientName,
      redirect_host: redirectHost,
      ...(owner === null ? {} : { agent_owner: owner }),
    },
    requested_scope: scopes.map((scope) => ({ ...scope })),
    requested_audience: resource === null ? [] : [{ ...resource }],
    authorization_details: details.map((detail) => ({ ...detail })),
    authorization_types: { ...types },
    expires_at: row.expiresAt.toISOString(),
  }
}

type Accept = z.output<typeof AcceptConsent>

/** @throws AppError invalid_scope for a scope that was not requested */
const chosenScopes = ({ scopes }: ConsentPrompt, names: readonly string[] | undefined): ConsentPrompt['scopes'] => {
  if (names === undefined) return scopes
  const known = new Set(scopes.map(({ name }) => name))
  if (names.some((name) => !known.has(name)))
    throw new AppError('invalid_scope', 'grant_scope has a scope that was not requested.', { field: 'body.grant_scope' })
  return scopes.filter(({ name }) => names.includes(name))
}

/** Details are granted whole, each at most as often as it was requested. @throws AppError invalid_authorization_details */
const chosenDetails = ({ details }: ConsentPrompt, granted: Accept['authorization_details']): ConsentPrompt['details'] => {
  if (granted === undefined) return details
  const left = details.map(canonicalJson)
  for (const spelling of granted.map(canonicalJson)) {
    const at = left.indexOf(spelling)
    if (at < 0)
      throw new AppError('invalid_authorization_details', 'authorization_details has a detail that was not requested.', {
        field: 'body.authorization_details',
      })
    left.splice(at, 1)
  }
  const kept = new Set(granted.map(canonicalJson))
  return details.filter((detail) => kept.has(canonicalJson(detail)))
}

/** @throws AppError consent_challenge_invalid, invalid_scope, invalid_target, invalid_authorization_details */
export const acceptConsent = async (ctx: Ctx, caller: User, body: Accept): Promise<string> => {
  const { consent } = await requirePendingConsent(ctx, caller, body.consent_challenge)
  if (body.grant_audience?.some((audience) => audience !== consent.resource?.resource))
    throw new AppError('invalid_target', 'grant_audience has an audience that was not requested.', { field: 'body.grant_audience' })
  const [scopes, details] = [chosenScopes(consent, body.grant_scope), chosenDetails(consent, body.authorization_details)]
  if (scopes.length === 0 && details.length === 0)
    throw new AppError('invalid_scope', 'The decision grants nothing; reject the request instead.', { field: 'body.grant_scope' })
  return answerChallenge(ctx, 'consent', body.consent_challenge, {
    accepts: true,
    consent: { ...consent, scopes, details, remember: body.remember },
    event: { actor: byUser(caller), after: { scopes: scopes.map(({ name }) => name), authorization_details: details, remember: body.remember } },
  })
}

/** @throws AppError consent_challenge_invalid */
export const rejectConsent = async (ctx: Ctx, caller: User, text: string): Promise<string> => {
  await requirePendingConsent(ctx, caller, text)
  return answerChallenge(ctx, 'consent', text, { accepts: false, event: { actor: byUser(caller) } })
}
