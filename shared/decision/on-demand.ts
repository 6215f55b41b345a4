// The decision and what it rests on, loaded with the first question: functions that never ask do not carry it at their start.
import type { BaseCtx } from '../context.ts'
import type { ClientAuthentication } from '../http/client-authentication.ts'
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
    const { createClientAuthentication } = await import('../http/client-authentication.ts')
    made ??= createClientAuthentication(ctx)
    return made
  }
  return {
    tenantOf: (credentials) => made?.tenantOf(credentials),
    authenticate: (credentials, asked) =>
      made?.authenticate(credentials, asked) ?? authentication().then((ready) => ready.authenticate(credentials, asked)),
  }
}
