// Agents: who answers for one, how it proves itself, and how it is stopped. An agent is a client of its own; whatever is left to it is bounded elsewhere.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { type Agent, type AgentStatus, findAgent, insertAgent, listAgents, updateAgent } from '#db/store/agents'
import {
  findClient,
  findPermissionsOfClient,
  insertClient,
  lockClient,
  lockClientSecrets,
  setClientActive,
  updateClient,
  updateClientSecrets,
} from '#db/store/clients'
import { findUser } from '#db/store/users'
import { addServiceAccount } from '#shared/domains/administration/clients'
import { pageOf, pageReply } from '#shared/domains/administration/page'
import { tenantOf } from '#shared/domains/administration/people'
import { asGrantor, requireGrantable } from '#shared/domains/authority/change'
import { newClientSecret } from '#shared/domains/clients/secrets'
import { spiffeIdOf } from '#shared/domains/clients/selectors'
import { JWT_BEARER, TOKEN_EXCHANGE } from '#shared/domains/oauth/offered'
import { spendRow } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { Sent } from '#shared/platform/http/route'
import { holds, type User } from '#shared/platform/principals/principal'
import type { AgentChanges, AgentList, AgentOut, AgentQuery, AgentRotation, AgentWithSecret, NewAgent } from './agents.schema.ts'
import type { Ctx } from './group.ts'

type Out = z.input<typeof AgentOut>
type WithSecret = z.input<typeof AgentWithSecret>

const GRANTS = ['client_credentials', 'authorization_code', 'refresh_token', TOKEN_EXCHANGE, JWT_BEARER]

const shown = (row: Agent): Out => ({
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
const told = ({ id: _, created_at: __, updated_at: ___, ...rest }: Out) => rest
const tagOf = ({ name, description, ownerId, dpopBound }: Agent): string => etagOf([name, description, ownerId, dpopBound])
const tagged = (row: Agent): Sent<Out> => new Sent(shown(row), { headers: { ETag: tagOf(row) } })
const target = (id: string) => ({ type: 'agent', id })

/** @throws AppError not_found */
const known = async (t: TenantDb, id: string): Promise<Agent> => {
  const row = await findAgent(t, id)
  if (row === undefined) throw new AppError('not_found')
  return row
}
/** Held by its client's row until the transaction ends. @throws AppError not_found */
const held = async (t: TenantTx, id: string): Promise<Agent> => {
  await lockClient(t, id)
  return known(t, id)
}

/** @throws AppError not_found: whoever answers for an agent is an active person of the tenant */
const requireOwner = async (t: TenantDb, ownerId: string): Promise<void> => {
  const owner = await findUser(t, ownerId)
  if (owner?.active !== true || owner.deletedAt !== null) throw new AppError('not_found', 'There is no such person.', { field: 'body.owner_id' })
}

/**
 * What ended with whoever answered before stays over under whoever answers next: what it held counts from when that person was last stopped, or not at all where
 * that person is not there any more.
 */
const validAfter = async (t: TenantTx, before: Agent, at: Date): Promise<Date> => {
  const [owner, client] = [await findUser(t, before.ownerId), await findClient(t, before.id)]
  const since = owner?.active === true && owner.deletedAt === null ? owner.validFrom : at
  return client !== undefined && client.validFrom > since ? client.validFrom : since
}

const credentialsOf = (ctx: Pick<Ctx, 'random'>, asked: z.output<typeof AgentRotation>['authentication']) => {
  if (asked.method === 'private_key_jwt')
    return { secret: undefined, registered: { tokenEndpointAuthMethod: 'private_key_jwt', jwks: asked.jwks } } as const
  return { secret: newClientSecret(ctx.random), registered: { tokenEndpointAuthMethod: null, jwks: null } } as const
}

/** With its client and the service account that it acts as, which begins without any right. @throws AppError not_found, quota_exceeded */
export const createAgent = (ctx: Ctx, caller: User, asked: z.output<typeof NewAgent>): Promise<WithSecret> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const ownerId = asked.owner_id ?? caller.userId
    await requireOwner(t, ownerId)
    await spendRow(t, (await tenantOf(t)).settings, 'clients')
    const [id, at] = [ctx.random.id(), ctx.clock.now()]
    const { secret, registered } = credentialsOf(ctx, asked.authentication)
    await insertClient(t, {
      id,
      name: asked.name,
      description: asked.description,
      clientType: 'ai_agent',
      ownerId,
      agentType: asked.agent_type,
      spiffeId: spiffeIdOf(ctx.config, t.tenantId, asked.agent_type, id),
      serviceAccountId: await addServiceAccount(t, ctx, id, asked.name),
      grantTypes: GRANTS,
      dpopBound: asked.dpop_bound_access_tokens,
      ...registered,
      ...(secret === undefined ? {} : { secretHash: secret.hash }),
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    await insertAgent(t, { id, ownerId, agentType: asked.agent_type, createdBy: caller.userId, createdAt: at, updatedAt: at })
    const row = shown(await known(t, id))
    await record(t, ctx, { event: 'agent.created', actor: byUser(caller), target: target(id), after: told(row) })
    return { ...row, ...(secret === undefined ? {} : { client_secret: secret.secret }) }
  })

export const findAgents = async (ctx: Ctx, caller: User, query: z.output<typeof AgentQuery>): Promise<Sent<z.input<typeof AgentList>>> => {
  const filter = {
    ...(query.owner_id === undefined ? {} : { ownerId: query.owner_id }),
    ...(query.agent_type === undefined ? {} : { agentType: query.agent_type }),
    ...(query.status === undefined ? {} : { status: query.status }),
  }
  const rows = await listAgents(forTenant(ctx.db, caller.tenantId), filter, pageOf<'created_at'>(query, '-created_at'))
  return pageReply(
    query,
    '-created_at',
    rows,
    (row) => row.createdAt,
    (page) => ({ agents: page.map(shown) }),
  )
}

/** Its owner may see it, too. @throws AppError not_found, insufficient_scope */
export const readAgent = async (ctx: Ctx, caller: User, id: string): Promise<Sent<Out>> => {
  const row = await known(forTenant(ctx.db, caller.tenantId), id)
  if (!holds(caller, 'clients:read') && row.ownerId !== caller.userId) throw new AppError('insufficient_scope')
  return tagged(row)
}

/** @throws AppError precondition_required, precondition_failed, not_found, agent_retired */
export const changeAgent = (ctx: Ctx, caller: User, id: string, changes: z.output<typeof AgentChanges>): Promise<Sent<Out>> => {
  const judge = preconditionOf(ctx, 'required')
  return atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = await held(t, id)
    judge(tagOf(before))
    if (before.status === 'retired') throw new AppError('agent_retired')
    if (changes.owner_id !== undefined) await requireOwner(t, changes.owner_id)
    const at = ctx.clock.now()
    await updateClient(t, id, {
      ...(changes.name === undefined ? {} : { name: changes.name }),
      ...(changes.description === undefined ? {} : { description: changes.description }),
      ...(changes.owner_id === undefined ? {} : { ownerId: changes.owner_id, validFrom: await validAfter(t, before, at) }),
      ...(changes.dpop_bound_access_tokens === undefined ? {} : { dpopBound: changes.dpop_bound_access_tokens }),
      updatedAt: at,
    })
    await updateAgent(t, id, { ...(changes.owner_id === undefined ? {} : { ownerId: changes.owner_id }), updatedAt: at })
    const after = await known(t, id)
    await record(t, ctx, {
      event: 'agent.updated',
      actor: byUser(caller),
      target: target(id),
      before: told(shown(before)),
      after: told(shown(after)),
    })
    return tagged(after)
  })
}

const EVENTS = { active: 'agent.resumed', suspended: 'agent.suspended', retired: 'agent.retired' } as const

/** Stopping needs no more than answering for it; letting it go on gives back what it held. */
const mayStop = (caller: User, row: Agent): boolean => holds(caller, 'clients:write') || row.ownerId === caller.userId

/** What is so already changes nothing. @throws AppError not_found, insufficient_scope, agent_retired, cannot_grant */
const setStatus = (ctx: Ctx, caller: User, id: string, status: AgentStatus): Promise<Out> =>
  asGrantor(ctx, caller, async (t, grants) => {
    const before = await held(t, id)
    if (status !== 'active' && !mayStop(caller, before)) throw new AppError('insufficient_scope')
    if (before.status === status) return shown(before)
    if (before.status === 'retired') throw new AppError('agent_retired')
    const at = ctx.clock.now()
    if (status === 'active') {
      const client = await findClient(t, id)
      if (client !== undefined) requireGrantable(grants, await findPermissionsOfClient(t, client, at))
    }
    await setClientActive(t, id, status === 'active', at)
    await updateAgent(t, id, { status, updatedAt: at })
    if (status === 'retired') {
      const none = { secretHash: null, sdkSecretHash: null, previousSecretHash: null, previousSdkSecretHash: null, previousValidUntil: null }
      await updateClientSecrets(t, id, none)
      await updateClient(t, id, { jwks: null, updatedAt: at })
    }
    const after = await known(t, id)
    const change = { before: { status: before.status }, after: { status } }
    await record(t, ctx, { event: EVENTS[status], actor: byUser(caller), target: target(id), ...change })
    return shown(after)
  })

/** What it holds counts no more, from now on. */
export const suspendAgent = (ctx: Ctx, caller: User, id: string): Promise<Out> => setStatus(ctx, caller, id, 'suspended')
/** Tokens from before stay over. */
export const resumeAgent = (ctx: Ctx, caller: User, id: string): Promise<Out> => setStatus(ctx, caller, id, 'active')
/** For good: it loses what it could prove itself with. */
export const retireAgent = (ctx: Ctx, caller: User, id: string): Promise<Out> => setStatus(ctx, caller, id, 'retired')

/**
 * New credentials; the ones before count no more. Whoever has them can act as the agent, so it takes every right that the agent has.
 * @throws AppError not_found, agent_retired, cannot_grant
 */
export const rotateCredentials = (ctx: Ctx, caller: User, id: string, asked: z.output<typeof AgentRotation>): Promise<WithSecret> =>
  asGrantor(ctx, caller, async (t, grants) => {
    const before = await held(t, id)
    if (before.status === 'retired') throw new AppError('agent_retired')
    const client = await findClient(t, id)
    if (client === undefined) throw new AppError('not_found')
    requireGrantable(grants, await findPermissionsOfClient(t, client, ctx.clock.now()))
    const { secret, registered } = credentialsOf(ctx, asked.authentication)
    const secrets = await lockClientSecrets(t, id)
    if (secrets === undefined) throw new AppError('not_found')
    await updateClientSecrets(t, id, {
      sdkSecretHash: secrets.sdkSecretHash,
      secretHash: secret?.hash ?? null,
      previousSecretHash: null,
      previousSdkSecretHash: null,
      previousValidUntil: null,
    })
    await updateClient(t, id, { ...registered, updatedAt: ctx.clock.now() })
    const after = { authentication_method: asked.authentication.method }
    await record(t, ctx, { event: 'agent.credentials_rotated', actor: byUser(caller), target: target(id), after })
    return { ...shown(await known(t, id)), ...(secret === undefined ? {} : { client_secret: secret.secret }) }
  })
