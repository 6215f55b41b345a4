// Loads the authentication of workloads with the first call of one, to keep it out of the start.
import type { WorkloadAuthentication } from '#shared/platform/http/workload-authentication'

type Deps = Parameters<typeof import('./workload-authentication.ts').createWorkloadAuthentication>[0]

export const lazyWorkloadAuthentication = (ctx: Deps): WorkloadAuthentication => {
  let made: Promise<WorkloadAuthentication> | undefined
  return {
    authenticate: async (request) => {
      made ??= import('./workload-authentication.ts').then(({ createWorkloadAuthentication }) => createWorkloadAuthentication(ctx))
      return (await made).authenticate(request)
    },
  }
}
