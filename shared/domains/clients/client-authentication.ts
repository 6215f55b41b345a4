// Authenticates a backend by its client's id and secret (RFC 6749 section 2.3.1, HTTP Basic). It acts as the client's service account.
import { hash } from 'node:crypto'
import { directory, forTenant } from '#db/engine/tenant'
import { type ClientAuthenticationSecrets, findActingServiceAccount, findClientSecrets } from '#db/store/client-authentication'
import type { BaseCtx } from '#shared/domains/context'
import { decide } from '#shared/domains/decision/decide'
import { createTtlCache } from '#shared/platform/cache/ttl-cache'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { clientAuthenticationFailed } from '#shared/platform/http/basic-auth'
import type { ClientAuthentication } from '#shared/platform/http/client-authentication'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const isSecret = (secret: string, known: ClientAuthenticationSecrets, now: Date): boolean => {
  const digest = hash('sha256', secret, 'buffer')
  const { secretHash, previousSecretHash, previousValidUntil } = known
  // Both comparisons always run, so that timing does not disclose which secret was tried.
  const isCurrent = secretHash !== undefined && constantTimeEqual(digest, secretHash)
  const isPrevious =
    previousSecretHash !== undefined && constantTimeEqual(digest, previousSecretHash) && previousValidUntil !== undefined && now < previousValidUntil
  return isCurrent || isPrevious
}

type Acting = ClientAuthenticationSecrets & { readonly serviceAccountId: string | undefined }

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'policies'>

export const createClientAuthentication = ({ db, clock, policies }: Deps): ClientAuthentication => {
  const memory = createTtlCache<Acting>({ db, clock })

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
    authenticate: async ({ clientId, secret }, requested) => {
      const found = UUID.test(clientId) ? await memory.get(clientId, () => read(clientId)) : undefined
      const now = clock.now()
      if (found === undefined || !isSecret(secret, found, now) || found.serviceAccountId === undefined) throw clientAuthenticationFailed()
      const { tenantId } = found
      const subject = { kind: 'service_account', id: found.serviceAccountId } as const
      const { policy, principal } = await policies.load(tenantId, [subject])
      // Without a context, so a required permission must be held tenant-wide and without conditions.
      const held = requested.filter((permission) => {
        const [resource = '', action = ''] = permission.split(':')
        return decide(policy, principal(subject), { resource, action }, {}, now.getTime()).allowed
      })
      return { kind: 'client', tenantId, clientId, serviceAccountId: found.serviceAccountId, permissions: new Set(held) }
    },
  }
}
