// A backend that calls with its client's id and secret (RFC 6749 section 2.3.1, HTTP Basic). It acts as the client's service account.
import { hash } from 'node:crypto'
import { directory, forTenant } from '#db/engine/tenant'
import { type ClientSecrets, findActingServiceAccount, findClientSecrets } from '#db/store/client-authentication'
import type { BaseCtx } from '#shared/domains/context'
import { decide } from '#shared/domains/decision/decide'
import { freshMemory } from '#shared/platform/cache/ttl-cache'
import { equal } from '#shared/platform/crypto/equal'
import { clientRefused } from '#shared/platform/http/basic'
import type { ClientAuthentication } from '#shared/platform/http/client-authentication'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const isSecret = (secret: string, known: ClientSecrets, now: Date): boolean => {
  const digest = hash('sha256', secret, 'buffer')
  const { secretHash, previousSecretHash, previousValidUntil } = known
  // Both comparisons always run, so that the time does not tell which secret was tried.
  const isCurrent = secretHash !== undefined && equal(digest, secretHash)
  const isPrevious =
    previousSecretHash !== undefined && equal(digest, previousSecretHash) && previousValidUntil !== undefined && now < previousValidUntil
  return isCurrent || isPrevious
}

type Acting = ClientSecrets & { readonly serviceAccountId: string | undefined }

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'policies'>

export const createClientAuthentication = ({ db, clock, policies }: Deps): ClientAuthentication => {
  const memory = freshMemory<Acting>({ db, clock })

  const read = async (clientId: string): Promise<Acting | undefined> => {
    const secrets = await findClientSecrets(directory(db), clientId)
    if (secrets === undefined) return undefined
    const serviceAccountId = secrets.active ? await findActingServiceAccount(forTenant(db, secrets.tenantId), clientId, clock.now()) : undefined
    return { ...secrets, serviceAccountId }
  }

  return {
    tenantOf: ({ clientId, secret }) => {
      const remembered = memory.last(clientId)
      return remembered?.serviceAccountId !== undefined && isSecret(secret, remembered, clock.now()) ? remembered.tenantId : undefined
    },
    authenticate: async ({ clientId, secret }, asked) => {
      const found = UUID.test(clientId) ? await memory.get(clientId, () => read(clientId)) : undefined
      const now = clock.now()
      if (found === undefined || !isSecret(secret, found, now) || found.serviceAccountId === undefined) throw clientRefused()
      const { tenantId } = found
      const subject = { kind: 'service_account', id: found.serviceAccountId } as const
      const { policy, principal } = await policies.load(tenantId, [subject])
      // Without a context: what a guard asks for must be held tenant-wide and without conditions.
      const held = asked.filter((permission) => {
        const [resource = '', action = ''] = permission.split(':')
        return decide(policy, principal(subject), { resource, action }, {}, now.getTime()).allowed
      })
      return { kind: 'client', tenantId, clientId, serviceAccountId: found.serviceAccountId, permissions: new Set(held) }
    },
  }
}
