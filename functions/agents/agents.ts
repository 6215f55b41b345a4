// Agents: owner, credentials and status. An agent is a client of its own; what people may delegate to it is decided elsewhere.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { type Agent, type AgentStatus, findAgent, insertAgent, listAgents, updateAgent } from '#db/store/agents'
import { findClient, insertClient, lockClient, lockClientSecrets, setClientActive, updateClient, updateClientSecrets } from '#db/store/clients'
import { findUser } from '#db/store/users'
import { addServiceAccount } from '#shared/domains/administration/clients'
import { pageReply, toPage } from '#shared/domains/administration/page'
import { requireTenant } from '#shared/domains/administration/people'
import { actAsGrantor } from '#shared/domains/authority/access-change'
import { requireRightsOverClient } from '#shared/domains/authority/rights-over'
import { changeClientIdentity } from '#shared/domains/clients/change-identity'
import { newClientSecret } from '#shared/domains/clients/secrets'
import { spiffeIdOf } from '#shared/domains/clients/selectors'
import { JWT_BEARER, TOKEN_EXCHANGE } from '#shared/domains/oauth/supported'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import type { AgentChanges, AgentList, AgentOut, AgentQuery, AgentRotation, AgentWithSecret, NewAgent } from './agents.schema.ts'
import type { Ctx } from './group.ts'

type Out = z.input<typeof AgentOut>
type WithSecret = z.input<typeof AgentWithSecret>

const GRANTS = ['client_credentials', 'authorization_code', 'refresh_token', TOKEN_EXCHANGE, JWT_BEARER]

const toResponse = (row: Agent): Out => ({
  id: row.id,
  name: row.name,
  description: row.description,
  agent_type: row.agentType,
  owner_id: row.ownerId,
  status: row.status,
  authentication_method: row.method === 'private_key_jwt' ? 'private_key_jwt' : 'client_secret',
  dpop_bound_access_tokens: row.dpopBound,
  grant_types: [...row.grantTypes],
  service_account_id: row.serviceAccountId,
  spiffe_id: row.spiffeId,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})
const auditDetails = ({ id: _, created_at: __, updated_at: ___, ...rest }: Out) => rest
const tagOf = ({ name, description, ownerId, dpopBound }: Agent): string => etagOf([name, description, ownerId, dpopBound])
const tagged = (row: Agent): HttpResult<Out> => new HttpResult(toResponse(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'agent', id })

/** @throws AppError not_found */
const requireAgent = async (t: TenantDb, id: string): Promise<Agent> => {
  const row = await findAgent(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}
/** Locks the agent by the row of its client until the transaction ends. @throws AppError not_found */
const lockAgent = async (t: TenantTx, id: string): Promise<Agent> => {
  await lockClient(t, id)
  return requireAgent(t, id)
}

/** The owner of an agent must be an active person of the tenant. @throws AppError not_found */
const requireOwner = async (t: TenantDb, ownerId: string): Promise<void> => {
  const owner = await findUser(t, ownerId)
  if (owner?.active !== true || owner.deletedAt !== null) throw new AppError('not_found', 'There is no such person.', { field: 'body.owner_id' })
}

/**
 * Tokens that ended with the previous owner must stay invalid under the new one: they are valid only if issued after that owner was last enabled, and not at all
 * when that owner is disabled or deleted.
 */
const validAfter = async (t: TenantTx, before: Agent, at: Date): Promise<Date> => {
  const [owner, client] = [await findUser(t, before.ownerId), await findClient(t, before.id)]
  const since = owner?.active === true && owner.deletedAt === null ? owner.validFrom : at
  return client !== undefined && client.validFrom > since ? client.validFrom : since
}

const credentialsOf = (ctx: Pick<Ctx, 'random'>, request: z.output<typeof AgentRotation>['authentication']) => {
  if (request.method === 'private_key_jwt')
    return { secret: undefined, registered: { tokenEndpointAuthMethod: 'private_key_jwt', jwks: request.jwks } } as const
  return { secret: newClientSecret(ctx.random), registered: { tokenEndpointAuthMethod: null, jwks: null } } as const
}

/** Creates the agent with its client and a service account without permissions. @throws AppError not_found, quota_exceeded */
export const createAgent = (ctx: Ctx, caller: User, request: z.output<typeof NewAgent>): Promise<WithSecret> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const ownerId = request.owner_id ?? caller.userId
    await requireOwner(t, ownerId)
    await consumeQuota(t, (await requireTenant(t)).settings, 'clients')
    const [id, at] = [ctx.random.id(), ctx.clock.now()]
    const { secret, registered } = credentialsOf(ctx, request.authentication)
    await insertClient(t, {
      id,
      name: request.name,
      description: request.description,
      clientType: 'ai_agent',
      ownerId,
      agentType: request.agent_type,
      spiffeId: spiffeIdOf(ctx.config, t.tenantId, request.agent_type, id),
      serviceAccountId: await addServiceAccount(t, ctx, id, request.name),
      grantTypes: GRANTS,
      dpopBound: request.dpop_bound_access_tokens,
      ...registered,
      ...(secret === undefined ? {} : { secretHash: secret.hash }),
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    await insertAgent(t, { id, ownerId, agentType: request.agent_type, createdBy: caller.userId, createdAt: at, updatedAt: at })
    const row = toResponse(await requireAgent(t, id))
    await recordEvent(t, ctx, { event: 'agent.created', actor: byUser(caller), target: target(id), after: auditDetails(row) })
    return { ...row, ...(secret === undefined ? {} : { client_secret: secret.secret }) }
  })

export const findAgents = async (ctx: Ctx, caller: User, query: z.output<typeof AgentQuery>): Promise<HttpResult<z.input<typeof AgentList>>> => {
  const filter = {
    ...(query.owner_id === undefined ? {} : { ownerId: query.owner_id }),
    ...(query.agent_type === undefined ? {} : { agentType: query.agent_type }),
    ...(query.status === undefined ? {} : { status: query.status }),
  }
  const rows = await listAgents(forTenant(ctx.db, caller.tenantId), filter, toPage<'created_at'>(query, '-created_at'))
  return pageReply(
    query,
    '-created_at',
    rows,
    (row) => row.createdAt,
    (page) => ({ agents: page.map(toResponse) }),
  )
}

/** The owner of the agent may read it without `clients:read`. @throws AppError not_found, insufficient_scope */
export const readAgent = async (ctx: Ctx, caller: User, id: string): Promise<HttpResult<Out>> => {
  const row = await requireAgent(forTenant(ctx.db, caller.tenantId), id)
  if (!hasPermission(caller, 'clients:read') && row.ownerId !== caller.userId) throw new AppError('insufficient_scope')
  return tagged(row)
}

/** @throws AppError precondition_required, precondition_failed, not_found, agent_retired, cannot_grant */
export const changeAgent = (ctx: Ctx, caller: User, id: string, changes: z.output<typeof AgentChanges>): Promise<HttpResult<Out>> => {
  const requirePrecondition = preconditionOf(ctx, 'required')
  return actAsGrantor(ctx, caller, async (t, grantable) => {
    const before = await lockAgent(t, id)
    requirePrecondition(tagOf(before))
    if (before.status === 'retired') throw new AppError('agent_retired')
    if (changes.owner_id !== undefined) await requireOwner(t, changes.owner_id)
    // A new owner lets an agent act again that stopped with the old one, and without DPoP a stolen token is worth what the agent is.
    const gives = changes.owner_id !== undefined || (changes.dpop_bound_access_tokens === false && before.dpopBound)
    const client = gives ? await findClient(t, id) : undefined
    if (client !== undefined) await requireRightsOverClient(t, ctx, grantable, client)
    const at = ctx.clock.now()
    await updateClient(t, id, {
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.description === undefined ? {} : { description: changes.description }),
      ...(changes.owner_id === undefined ? {} : { ownerId: changes.owner_id, validFrom: await validAfter(t, before, at) }),
      ...(changes.dpop_bound_access_tokens === undefined ? {} : { dpopBound: changes.dpop_bound_access_tokens }),
      updatedAt: at,
    })
    await updateAgent(t, id, { ...(changes.owner_id === undefined ? {} : { ownerId: changes.owner_id }), updatedAt: at })
    const after = await requireAgent(t, id)
    await recordEvent(t, ctx, {
      event: 'agent.updated',
      actor: byUser(caller),
      target: target(id),
      before: auditDetails(toResponse(before)),
      after: auditDetails(toResponse(after)),
    })
    return tagged(after)
  })
}

const EVENTS = { active: 'agent.resumed', suspended: 'agent.suspended', retired: 'agent.retired' } as const

/** The owner may suspend an agent without further permissions. Resuming gives its permissions back, so it needs more. */
const maySuspend = (caller: User, row: Agent): boolean => hasPermission(caller, 'clients:write') || row.ownerId === caller.userId

/** Setting the current status again changes nothing. @throws AppError not_found, insufficient_scope, agent_retired, cannot_grant */
const setStatus = (ctx: Ctx, caller: User, id: string, status: AgentStatus): Promise<Out> =>
  actAsGrantor(ctx, caller, async (t, grantable) => {
    const before = await lockAgent(t, id)
    if (status !== 'active' && !maySuspend(caller, before)) throw new AppError('insufficient_scope')
    if (before.status === status) return toResponse(before)
    if (before.status === 'retired') throw new AppError('agent_retired')
    const at = ctx.clock.now()
    if (status === 'active') {
      const client = await findClient(t, id)
      if (client !== undefined) await requireRightsOverClient(t, ctx, grantable, client)
    }
    await setClientActive(t, id, status === 'active', at)
    await updateAgent(t, id, { status, updatedAt: at })
    if (status === 'retired') {
      const none = { secretHash: null, sdkSecretHash: null, previousSecretHash: null, previousSdkSecretHash: null, previousValidUntil: null }
      await updateClientSecrets(t, id, none)
      await updateClient(t, id, { jwks: null, updatedAt: at })
    }
    const after = await requireAgent(t, id)
    const change = { before: { status: before.status }, after: { status } }
    await recordEvent(t, ctx, { event: EVENTS[status], actor: byUser(caller), target: target(id), ...change })
    return toResponse(after)
  })

/** Suspends an agent: its tokens and credentials stop working now. */
export const suspendAgent = (ctx: Ctx, caller: User, id: string): Promise<Out> => setStatus(ctx, caller, id, 'suspended')
/** Resumes an agent. Tokens from before the suspension stay revoked. */
export const resumeAgent = (ctx: Ctx, caller: User, id: string): Promise<Out> => setStatus(ctx, caller, id, 'active')
/** Retires an agent permanently and removes its credentials. */
export const retireAgent = (ctx: Ctx, caller: User, id: string): Promise<Out> => setStatus(ctx, caller, id, 'retired')

/**
 * Replaces the credentials. The holder of credentials can act as the agent, so the caller needs every permission that the agent has. Other keys or another
 * method end what people allowed the agent.
 * @throws AppError not_found, agent_retired, cannot_grant
 */
export const rotateCredentials = async (ctx: Ctx, caller: User, id: string, request: z.output<typeof AgentRotation>): Promise<WithSecret> => {
  const rotated = await actAsGrantor(ctx, caller, async (t, grantable) => {
    const before = await lockAgent(t, id)
    if (before.status === 'retired') throw new AppError('agent_retired')
    const client = await findClient(t, id)
    if (client === undefined) throw new AppError('not_found')
    await requireRightsOverClient(t, ctx, grantable, client)
    const { secret, registered } = credentialsOf(ctx, request.authentication)
    if ((await lockClientSecrets(t, id)) === undefined) throw new AppError('not_found')
    await updateClientSecrets(t, id, {
      sdkSecretHash: null,
      secretHash: secret?.hash ?? null,
      previousSecretHash: null,
      previousSdkSecretHash: null,
      previousValidUntil: null,
    })
    const by = { actor: byUser(caller), name: caller.email, userId: caller.userId }
    await changeClientIdentity(t, ctx, by, client, { ...registered, updatedAt: ctx.clock.now() })
    const after = { authentication_method: request.authentication.method }
    await recordEvent(t, ctx, { event: 'agent.credentials_rotated', actor: by.actor, target: target(id), after })
    return { ...toResponse(await requireAgent(t, id)), ...(secret === undefined ? {} : { client_secret: secret.secret }) }
  })
  ctx.wakeOutbox()
  return rotated
}
