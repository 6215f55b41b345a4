// Wire shapes of agents.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { Jwks } from '#shared/domains/oauth/jwks.schema'

export const AgentPath = z.strictObject({ agent_id: Id })

const name = z.string().trim().min(1).max(200)
const description = z.string().max(1000)
const agent_type = z
  .string()
  .regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}$/, 'letters, digits, dots, hyphens and underscores, at most 64')
  .meta({ description: 'Delegation policies refer to agents by their type.', examples: ['assistant'] })

/** How the agent authenticates: a secret that is returned once, or a key pair of which the server has the public key. */
const authentication = z.discriminatedUnion('method', [
  z.strictObject({ method: z.literal('client_secret') }),
  z.strictObject({ method: z.literal('private_key_jwt'), jwks: Jwks }),
])

export const NewAgent = z
  .strictObject({
    name,
    agent_type,
    description: description.default(''),
    owner_id: Id.optional().meta({ description: 'The person who is accountable for it; defaults to the caller.' }),
    authentication: authentication.default({ method: 'client_secret' }),
    dpop_bound_access_tokens: z.boolean().default(false).meta({ description: 'All its tokens must be bound to a key (RFC 9449 section 5.2).' }),
  })
  .meta({ id: 'NewAgent' })
export const AgentChanges = z
  .strictObject({ name, description, owner_id: Id, dpop_bound_access_tokens: z.boolean() })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
  .meta({ id: 'AgentChanges' })
export const AgentRotation = z
  .strictObject({ authentication })
  .meta({ id: 'AgentRotation', examples: [{ authentication: { method: 'client_secret' } }] })

export const AgentQuery = z.strictObject({
  owner_id: Id.optional(),
  agent_type: agent_type.optional(),
  status: z.enum(['active', 'suspended', 'retired']).optional(),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

const shape = {
  id: z.uuid().meta({ description: 'Its client id, and `sub` of its tokens and of `act`.' }),
  name: z.string(),
  description: z.string(),
  agent_type: z.string(),
  owner_id: z.uuid(),
  status: z.enum(['active', 'suspended', 'retired']),
  authentication_method: z.enum(['client_secret', 'private_key_jwt']),
  dpop_bound_access_tokens: z.boolean(),
  grant_types: z.array(z.string()),
  /** The service account of the agent when it acts in its own name; roles are bound to it. */
  service_account_id: z.uuid().nullable(),
  spiffe_id: z.string().nullable(),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
}
export const AgentOut = z.object(shape).meta({ id: 'AgentObject' })
export const AgentWithSecret = z
  .object({ ...shape, client_secret: z.string().optional().meta({ description: 'Returned only once.' }) })
  .meta({ id: 'AgentWithSecret' })
export const AgentList = z.object({ agents: z.array(AgentOut) }).meta({ id: 'AgentList' })
