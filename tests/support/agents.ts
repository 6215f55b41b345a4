// Agents, delegation policies, and chains of tokens, for tests.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertAgent, insertDelegationPolicy } from '#db/store/agents'
import { insertDetailType, type NewDetailType } from '#db/store/oauth-details'
import { putBinding, putRole } from '#db/testing/access'
import { TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import type { Company, TestApp } from './app.ts'
import { newOauthClient, type OauthTestClient, postForm, type ResourceServer, type Where } from './oauth.ts'

export const EXCHANGE = { grant_type: TOKEN_EXCHANGE, subject_token_type: TOKEN_TYPES.access }
const GRANTS = ['client_credentials', 'authorization_code', 'refresh_token', TOKEN_EXCHANGE, 'urn:ietf:params:oauth:grant-type:jwt-bearer']

type Made = Parameters<typeof newOauthClient>[2] & { readonly type?: string }
type Whose = Pick<Company, 'tenantId'>

/** A client that may exchange tokens and is not an agent. */
export const newExchanger = (app: Where, company: Whose, made: Parameters<typeof newOauthClient>[2] = {}): Promise<OauthTestClient> =>
  newOauthClient(app, company, { grantTypes: GRANTS, ...made })

export const newAgent = async (app: Where, company: Whose, ownerId: string, { type = 'assistant', ...made }: Made = {}): Promise<OauthTestClient> => {
  const client = await newExchanger(app, company, { name: 'Robo', clientType: 'ai_agent', agentType: type, ownerId, ...made })
  const at = app.ctx.clock.now()
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    insertAgent(t, { id: client.id, ownerId, agentType: type, createdAt: at, updatedAt: at }),
  )
  return client
}

export type PolicyMade = {
  readonly allowed: readonly string[]
  readonly type?: string
  readonly seconds?: number
  readonly impersonation?: boolean
  readonly audience?: readonly string[]
  readonly clientId?: string
}

/** A role of these people or service accounts, with a policy of what its holders may delegate to agents of a type. Returns the id of the policy. */
export const newPolicy = async (
  app: Where,
  company: Whose,
  holders: readonly ({ readonly userId: string } | { readonly serviceAccountId: string })[],
  made: PolicyMade,
): Promise<string> => {
  const [id, at] = [app.ctx.random.id(), app.ctx.clock.now()]
  const roleName = `delegator-${id}`
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const roleId = await putRole(t, roleName, [], at)
    for (const holder of holders) await putBinding(t, roleId, holder, at)
    await insertDelegationPolicy(t, {
      id,
      roleName,
      agentType: made.type ?? 'assistant',
      allowedPermissions: [...made.allowed],
      audience: [...(made.audience ?? [])],
      maxTtlSeconds: made.seconds ?? 3600,
      impersonation: made.impersonation ?? false,
      clientId: made.clientId ?? null,
      createdAt: at,
      updatedAt: at,
    })
  })
  return id
}

type Form = Readonly<Record<string, string | undefined>>
export const exchange = (
  app: TestApp,
  by: OauthTestClient,
  subject: string,
  more: Form = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  postForm(app, '/oauth/token', { ...EXCHANGE, subject_token: subject, ...more }, { authorization: by.authorization, ...headers })

export const introspected = async (app: TestApp, server: ResourceServer, token: string) =>
  (await postForm(app, '/oauth/introspect', { token }, { authorization: server.authorization })).json()

/** Payments to accounts: their number, total amount, and expiry. */
export const PAYMENT = {
  type: 'payment',
  title: 'Pay invoices',
  jsonSchema: {
    type: 'object',
    additionalProperties: false,
    required: ['type', 'max_calls', 'max_amount', 'currency'],
    properties: {
      type: { type: 'string', const: 'payment' },
      accounts: { type: 'array', items: { type: 'string' }, maxItems: 10 },
      max_calls: { type: 'integer', minimum: 0 },
      max_amount: { type: 'integer', minimum: 0 },
      currency: { type: 'string' },
      note: { type: 'string', maxLength: 200 },
    },
  },
  limits: [
    { member: 'max_calls', kind: 'calls' },
    { member: 'max_amount', kind: 'amount', currency_member: 'currency' },
  ],
} as const satisfies Partial<NewDetailType>

export const newDetailType = async (app: Where, company: Whose, made: Partial<NewDetailType> = {}): Promise<string> => {
  const [id, at] = [app.ctx.random.id(), app.ctx.clock.now()]
  await atomically(forTenant(app.db, company.tenantId), (t) => insertDetailType(t, { id, ...PAYMENT, ...made, createdAt: at, updatedAt: at }))
  return id
}

export const payment = (more: Readonly<Record<string, unknown>> = {}) => ({
  type: 'payment',
  accounts: ['a-1', 'a-2'],
  max_calls: 10,
  max_amount: 5000,
  currency: 'EUR',
  ...more,
})
