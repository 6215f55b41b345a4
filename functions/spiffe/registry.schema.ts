// Wire shapes of AuthSec's workload registry (/authsec/spire/registry).
import * as z from 'zod'

export const NewRegistryWorkload = z
  .object({
    spiffe_id: z.string().min(1).max(2048).meta({ description: 'A SPIFFE id of the organisation, or a path that begins with a slash.' }),
    owner: z.string().trim().min(1).max(200),
  })
  .meta({ id: 'NewRegistryWorkload', examples: [{ spiffe_id: '/ns/prod/sa/api', owner: 'payments' }] })
export const RegistryWorkloadChange = z.object({ owner: z.string().trim().min(1).max(200) }).meta({ id: 'RegistryWorkloadChange' })
export const RegistryPath = z.object({ id: z.string().min(1).max(2048).meta({ description: 'The id, or the encoded SPIFFE id.' }) })
export const RegistryWorkload = z.object({ id: z.uuid(), spiffe_id: z.string(), owner: z.string() }).meta({ id: 'RegistryWorkload' })
export const RegistryList = z.array(RegistryWorkload).meta({ id: 'RegistryWorkloadList' })
export const RegistryDeleted = z.object({ message: z.string() }).meta({ id: 'RegistryDeleted' })
