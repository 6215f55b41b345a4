// Wire shapes of what a trust domain publishes.
import * as z from 'zod'

export const TrustDomainPath = z.strictObject({ tenant: z.string().max(64).meta({ description: 'The id of the organisation.' }) })
export const CrlQuery = z.strictObject({
  ca: z
    .string()
    .regex(/^[\w-]{43}$/)
    .optional()
    .meta({ description: 'Id of the key of a certificate authority; by default the current one.' }),
})
