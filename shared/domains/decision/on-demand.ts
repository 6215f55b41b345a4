// The decision and what it rests on, loaded with the first question: functions that never ask do not carry it at their start.
import type { BaseCtx } from '#shared/platform/context'
import type { ClientAuthentication } from '#shared/platform/http/client-authentication'
import type { Policies } from './policies.ts'

export const policiesOnDemand = (ctx: Pick<BaseCtx, 'db' | 'clock'>): Policies => {
  let making: Promise<Policies> | undefined
  let made: Policies | undefined
  const policies = (): Promise<Policies> => {
    making ??= import('./policies.ts').then(({ createPolicies }) => {
      made = createPolicies(ctx)
      return made
    })
    return making
  }
  return { load: (tenantId, subjects) => made?.load(tenantId, subjects) ?? policies().then((ready) => ready.load(tenantId, subjects)) }
}

export const clientAuthenticationOnDemand = (ctx: Pick<BaseCtx, 'db' | 'clock' | 'policies'>): ClientAuthentication => {
  let made: ClientAuthentication | undefined
  const authentication = async (): Promise<ClientAuthentication> => {
    const { createClientAuthentication } = await import('#shared/platform/http/client-authentication')
    made ??= createClientAuthentication(ctx)
    return made
  }
  return {
    tenantOf: (credentials) => made?.tenantOf(credentials),
    authenticate: (credentials, asked) =>
      made?.authenticate(credentials, asked) ?? authentication().then((ready) => ready.authenticate(credentials, asked)),
  }
}
