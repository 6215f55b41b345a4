// Assertion consumer service: verifies the SAML response and stores the result under a ticket. It does not sign the person in.
import type * as z from 'zod'
import { asTenantId, atomically, forTenant, type TenantDb } from '#db/engine/tenant'
import { consumeIdOnce } from '#db/store/oauth-authorizations'
import { listSamlKeys } from '#db/store/saml-keys'
import { findSamlProvider, type SamlProvider } from '#db/store/saml-providers'
import { takeSamlRequest } from '#db/store/saml-requests'
import { type FederatedProof, storeProof } from '#shared/domains/federation/proof'
import { samlProviderName, samlProvidersAt } from '#shared/domains/federation/saml-providers'
import { AppError } from '#shared/kernel/errors'
import { childrenOf, parseXml, plainXml, textOf, XmlRefusal } from '#shared/platform/xml/strict-xml'
import { certificatesValidAt } from './certificates.ts'
import { type ExpectedAssertion, type ValidatedAssertion, validateAssertion } from './engine/assertion.ts'
import { SAML, SamlRefusal } from './engine/names.ts'
import { type SamlPerson, samlPersonOf } from './engine/person.ts'
import { decodeResponse, verifyResponse } from './engine/response.ts'
import type { Ctx } from './group.ts'
import type { AcsForm } from './initiate.schema.ts'
import { openSamlKey } from './keys.ts'
import { clientAcsOf, entityIdOf, type ServiceProvider, sharedAcsOf } from './service-provider.ts'
import { isRelayState, type LocatedSamlRequest, locateSamlRequest } from './state.ts'

type Form = z.output<typeof AcsForm>

/** The reason goes to the log only; the sender learns only that the response was refused. */
const refused = (ctx: Ctx, tenantId: string | undefined, reason: string, cause?: unknown): AppError => {
  ctx.log.warn('saml.refused', { ...(tenantId === undefined ? {} : { tenant_id: tenantId }), reason })
  const refusal = { ...(tenantId === undefined ? {} : { tenantId }), event: 'user.signed_in' }
  return new AppError('saml_response_invalid', undefined, { refusal }, cause)
}

type Answering = {
  readonly t: TenantDb
  readonly provider: SamlProvider
  /** Undefined for an IdP-initiated response. */
  readonly located: LocatedSamlRequest | undefined
}

/** @throws AppError saml_mismatch, saml_response_invalid */
const toRequest = async (ctx: Ctx, relayState: string, named: ServiceProvider | undefined): Promise<Answering> => {
  const located = await locateSamlRequest(ctx, relayState)
  if (located === undefined) throw new SamlRefusal('unknown_request')
  const { t, request } = located
  const provider = await findSamlProvider(t, request.providerId)
  if (provider === undefined || !provider.isActive) throw refused(ctx, t.tenantId, 'provider_gone')
  if (named !== undefined && (named.tenantId !== t.tenantId || named.clientId !== provider.clientId)) throw new AppError('saml_mismatch')
  return { t, provider, located }
}

/** IdP-initiated: the URL names the client, and the still unverified issuer selects the provider whose certificates must verify the response. */
const unsolicited = async (ctx: Ctx, xml: string, named: ServiceProvider): Promise<Answering> => {
  const t = forTenant(ctx.db, asTenantId(named.tenantId))
  const issuers = childrenOf(parseXml(plainXml(xml)), SAML, 'Issuer').map(textOf)
  const providers = (await samlProvidersAt(ctx, t.tenantId, named.clientId)).filter(
    (row) => row.isActive && row.allowsUnsolicited && row.clientId === named.clientId && issuers.includes(row.entityId),
  )
  const [provider] = providers
  if (provider === undefined || providers.length > 1) throw new SamlRefusal('unsolicited')
  return { t, provider, located: undefined }
}

const answered = async (ctx: Ctx, xml: string, relayState: string | undefined, named: ServiceProvider | undefined): Promise<Answering> => {
  if (relayState !== undefined) return toRequest(ctx, relayState, named)
  if (named === undefined) throw new SamlRefusal('unsolicited')
  return unsolicited(ctx, xml, named)
}

const expectedOf = (ctx: Ctx, { t, provider, located }: Answering): ExpectedAssertion => {
  const service = { tenantId: t.tenantId, clientId: provider.clientId }
  return {
    issuer: provider.entityId,
    audience: entityIdOf(ctx, service),
    acsUrls: [clientAcsOf(ctx, service), sharedAcsOf(ctx)],
    request: located === undefined ? undefined : { id: located.request.requestId, at: located.request.createdAt },
    now: ctx.clock.now(),
  }
}

/** @throws XmlRefusal */
const verify = async (ctx: Ctx, xml: string, answering: Answering): Promise<ValidatedAssertion> => {
  const { t, provider } = answering
  const now = ctx.clock.now()
  const privateKeys: string[] = []
  // Keys are unsealed only when something is encrypted.
  if (xml.includes('EncryptedAssertion')) for (const key of await listSamlKeys(t, now)) privateKeys.push(await openSamlKey(ctx, t, key))
  const { wantsAssertionSigned, wantsResponseSigned } = provider
  const trust = { certificates: certificatesValidAt(provider.certificates, now), wantsAssertionSigned, wantsResponseSigned, privateKeys }
  try {
    return validateAssertion(await verifyResponse(xml, trust), expectedOf(ctx, answering))
  } catch (error) {
    // Any error that a library raises on untrusted input means a malformed response.
    throw error instanceof XmlRefusal ? error : new SamlRefusal('malformed', error)
  }
}

const proofOf = ({ provider, located }: Answering, person: SamlPerson): FederatedProof => {
  const { nameId, email, name, severalFactors } = person
  return {
    profile: {
      // Prefixed, because an OpenID provider may use the same string as its issuer.
      issuer: `saml:${provider.entityId}`,
      subject: nameId,
      ...(email === undefined ? {} : { email }),
      // Asserted by the tenant's own provider. The rules for joining and linking decide whether that is enough; only a mailed code proves a mailbox.
      emailVerified: email !== undefined,
      ...(name === undefined ? {} : { name }),
      severalFactors,
    },
    provider: samlProviderName(provider),
    displayName: provider.displayName,
    isOwnProvider: true,
    trusted: provider.trustsFactors,
    samlProviderId: provider.id,
    forClientId: located?.request.clientId ?? provider.clientId,
  }
}

export type ReceivedAssertion = { readonly handle: string; readonly answering: Answering }

/** Consumes the request and the assertion in the transaction that stores the ticket, so only one of several concurrent responses succeeds. @throws XmlRefusal */
const keep = (ctx: Ctx, answering: Answering, validated: ValidatedAssertion): Promise<string> =>
  atomically(answering.t, async (t) => {
    const { located, provider } = answering
    if (located !== undefined && (await takeSamlRequest(t, located.key, ctx.clock.now())) === undefined) throw new SamlRefusal('request_used')
    const once = ctx.hash('saml:assertion', provider.entityId, validated.assertionId)
    if (!(await consumeIdOnce(t, once, validated.until))) throw new SamlRefusal('replayed')
    const origin = located?.request.origin ?? new URL(ctx.config.BASE_URL).origin
    // The request comes from the provider's site; the next step happens at the origin where the sign-in began.
    const here = { ...ctx, request: { ...ctx.request, origin } }
    return storeProof(t, here, 'sign_in', proofOf(answering, samlPersonOf(validated, provider.attributeMapping)), { origin })
  })

/** @throws AppError invalid_request, saml_mismatch, saml_response_invalid */
export const receiveAssertion = async (ctx: Ctx, form: Form, named: ServiceProvider | undefined): Promise<ReceivedAssertion> => {
  if (form.SAMLResponse === undefined || form.SAMLResponse === '') {
    throw new AppError('invalid_request', 'Missing SAMLResponse', { field: 'form.SAMLResponse' })
  }
  const relayState = isRelayState(form.RelayState) ? form.RelayState : undefined
  if (relayState === undefined && named === undefined) {
    throw new AppError('invalid_request', 'Missing required SAML parameters', { field: 'form.RelayState' })
  }
  let tenantId: string | undefined
  try {
    const xml = decodeResponse(form.SAMLResponse)
    const answering = await answered(ctx, xml, relayState, named)
    tenantId = answering.t.tenantId
    return { handle: await keep(ctx, answering, await verify(ctx, xml, answering)), answering }
  } catch (error) {
    if (error instanceof XmlRefusal) throw refused(ctx, tenantId, error.reason, error)
    throw error
  }
}
