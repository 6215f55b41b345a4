// What is asked of a person at a front end of a company's own, and what that person answers. Whoever else knows the challenge learns and decides nothing.
import type * as z from 'zod'
import { findClient } from '#db/store/clients'
import type { AskedConsent, KeptRequest } from '#db/store/oauth-authorizations'
import { answerChallenge, findChallenge, invalidChallenge } from '#shared/domains/oauth/challenge-answer'
import { canonical } from '#shared/domains/oauth/details'
import { frontEndOf } from '#shared/domains/oauth/front-end'
import { AppError } from '#shared/kernel/errors'
import { byUser } from '#shared/platform/audit/record'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { AcceptConsent, ConsentQuestion } from './consent.schema.ts'
import type { Ctx } from './group.ts'

/** @throws AppError consent_challenge_invalid, origin_not_verified */
export const leadToConsent = async (ctx: Ctx, text: string): Promise<Sent<undefined>> => {
  const { t, row } = await findChallenge(ctx, 'consent', text)
  const client = await findClient(t, row.clientId)
  if (client === undefined) throw invalidChallenge('consent')
  const frontEnd = await frontEndOf(ctx, t.tenantId, client)
  if (frontEnd.kind !== 'at') throw new AppError('origin_not_verified')
  return new Sent(undefined, { headers: { Location: `${frontEnd.base}/oidc/consent?${new URLSearchParams({ consent_challenge: text })}` } })
}

type Question = { readonly row: KeptRequest; readonly consent: AskedConsent }

/** Of the person who is asked, whichever of the person's sessions asks. @throws AppError consent_challenge_invalid */
const questionFor = async (ctx: Ctx, caller: User, text: string): Promise<Question> => {
  const { t, row } = await findChallenge(ctx, 'consent', text)
  if (t.tenantId !== caller.tenantId || row.userId !== caller.userId || row.consent === null) throw invalidChallenge('consent')
  return { row, consent: row.consent }
}

/** @throws AppError consent_challenge_invalid */
export const showConsent = async (ctx: Ctx, caller: User, text: string): Promise<z.input<typeof ConsentQuestion>> => {
  const { row, consent } = await questionFor(ctx, caller, text)
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

/** @throws AppError invalid_scope for one that is not asked for */
const chosenScopes = ({ scopes }: AskedConsent, names: readonly string[] | undefined): AskedConsent['scopes'] => {
  if (names === undefined) return scopes
  const known = new Set(scopes.map(({ name }) => name))
  if (names.some((name) => !known.has(name))) throw new AppError('invalid_scope', 'More is allowed than is asked for.', { field: 'body.grant_scope' })
  return scopes.filter(({ name }) => names.includes(name))
}

/** Whole, and each as often as it is asked for at most. @throws AppError invalid_authorization_details */
const chosenDetails = ({ details }: AskedConsent, wanted: Accept['authorization_details']): AskedConsent['details'] => {
  if (wanted === undefined) return details
  const left = details.map(canonical)
  for (const spelling of wanted.map(canonical)) {
    const at = left.indexOf(spelling)
    if (at < 0) throw new AppError('invalid_authorization_details', 'More is allowed than is asked for.', { field: 'body.authorization_details' })
    left.splice(at, 1)
  }
  const kept = new Set(wanted.map(canonical))
  return details.filter((detail) => kept.has(canonical(detail)))
}

/** @throws AppError consent_challenge_invalid, invalid_scope, invalid_target, invalid_authorization_details */
export const acceptConsent = async (ctx: Ctx, caller: User, body: Accept): Promise<string> => {
  const { consent } = await questionFor(ctx, caller, body.consent_challenge)
  if (body.grant_audience?.some((audience) => audience !== consent.resource?.resource))
    throw new AppError('invalid_target', 'Another audience is allowed than is asked for.', { field: 'body.grant_audience' })
  const [scopes, details] = [chosenScopes(consent, body.grant_scope), chosenDetails(consent, body.authorization_details)]
  if (scopes.length === 0 && details.length === 0)
    throw new AppError('invalid_scope', 'Nothing is allowed: then reject.', { field: 'body.grant_scope' })
  return answerChallenge(ctx, 'consent', body.consent_challenge, {
    accepts: true,
    consent: { ...consent, scopes, details, remember: body.remember },
    event: { actor: byUser(caller), after: { scopes: scopes.map(({ name }) => name), authorization_details: details, remember: body.remember } },
  })
}

/** @throws AppError consent_challenge_invalid */
export const rejectConsent = async (ctx: Ctx, caller: User, text: string): Promise<string> => {
  await questionFor(ctx, caller, text)
  return answerChallenge(ctx, 'consent', text, { accepts: false, event: { actor: byUser(caller) } })
}
