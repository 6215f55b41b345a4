// Loads client authentication with the first call of a backend, to keep it out of the start.
import type { BaseCtx } from '#shared/domains/context'
import type { ClientAuthentication } from '#shared/platform/http/client-authentication'

export const lazyClientAuthentication = (ctx: Pick<BaseCtx, 'db' | 'clock' | 'policies'>): ClientAuthentication => {
  let made: ClientAuthentication | undefined
  const authentication = async (): Promise<ClientAuthentication> => {
    const { createClientAuthentication } = await import('./client-authentication.ts')
    made ??= createClientAuthentication(ctx)
    return made
  }
  return {
    tenantOf: (credentials) => made?.tenantOf(credentials),
    authenticate: (credentials, requested) =>
      made?.authenticate(credentials, requested) ?? authentication().then((ready) => ready.authenticate(credentials, requested)),
  }
}
