// Wire shapes of the rotation of a client's secrets. An API of this project.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const RotationPath = z.strictObject({ id: Id })
export const ClientSecretRotation = z
  .strictObject({
    /** Seconds during which the previous secrets stay valid; 0 ends them at once. One day by default. */
    overlap_seconds: z
      .int()
      .min(0)
      .max(7 * 24 * 3600)
      .default(24 * 3600),
  })
  .meta({ id: 'ClientRotation' })
export const RotatedClientSecret = z
  .object({
    client_id: z.string(),
    secret_id: z.string().optional(),
    sdk_client_id: z.string(),
    previous_valid_until: z.string().nullable(),
  })
  .meta({ id: 'ClientRotated' })
