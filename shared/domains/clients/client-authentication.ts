// Authenticates a backend by its client's id and secret (RFC 6749 section 2.3.1, HTTP Basic). It acts as the client's service account.
import { directory, forTenant } from '#db/engine/tenant'
import { type ClientAuthenticationSecrets, findActingServiceAccount, findClientSecrets } from '#db/store/client-authentication'
import type { BaseCtx } from '#shared/domains/context'
import { decide } from '#shared/domains/decision/decide'
import { isUuid } from '#shared/kernel/ids'
import { createTtlCache } from '#shared/platform/cache/ttl-cache'
import { clientAuthenticationFailed } from '#shared/platform/http/basic-auth'
import type { ClientAuthentication } from '#shared/platform/http/client-authentication'
import { isClientSecret } from './client-secret.ts'

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
      const cached = memory.last(clientId)
      return cached?.serviceAccountId !== undefined && isClientSecret(secret, cached, clock.now()) ? cached.tenantId : undefined
    },
    authenticate: async ({ clientId, secret }, requested) => {
      const found = isUuid(clientId) ? await memory.get(clientId, () => read(clientId)) : undefined
      const now = clock.now()
      if (found === undefined || !isClientSecret(secret, found, now) || found.serviceAccountId === undefined) throw clientAuthenticationFailed()
      const { tenantId } = found
      const subject = { kind: 'service_account', id: found.serviceAccountId } as const
      const { policy, principal } = await policies.load(tenantId, [subject])
      // Decided without a context: the permissions that a route requires must be held tenant-wide and without conditions.
      const held = requested.filter((permission) => {
        const [resource = '', action = ''] = permission.split(':')
        return decide(policy, principal(subject), { resource, action }, {}, now.getTime()).allowed
      })
      return { kind: 'client', tenantId, clientId, serviceAccountId: found.serviceAccountId, permissions: new Set(held) }
    },
  }
}
