// Wire shapes of authorization detail types.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const DetailTypePath = z.strictObject({ type_id: Id })

const type = z
  .string()
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'printable, without spaces, quotes and backslashes')
  .meta({ examples: ['payment_initiation'] })
const title = z.string().trim().min(1).max(200).meta({ description: 'Displayed to people on the consent page.' })
const Limit = z.strictObject({
  member: z.string().min(1).max(100),
  kind: z.enum(['calls', 'amount', 'until']),
  currency_member: z.string().min(1).max(100).optional().meta({ description: 'For kind `amount`: the member with the currency (ISO 4217).' }),
})

export const NewDetailType = z
  .strictObject({
    type,
    title,
    json_schema: z.record(z.string(), z.unknown()).meta({
      description: 'JSON Schema of the whole detail, `type` included: closed objects, no patterns, formats or references.',
      examples: [{ type: 'object', additionalProperties: false, required: ['type'], properties: { type: { type: 'string' } } }],
    }),
    limits: z.array(Limit).max(3).default([]),
    resource_server_id: Id.optional(),
  })
  .meta({ id: 'NewDetailType' })
/** Only the title can change, because people consented under the schema. */
export const DetailTypeChange = z.strictObject({ title }).meta({ id: 'DetailTypeChange' })

export const DetailTypeOut = z
  .object({
    id: z.uuid(),
    type: z.string(),
    title: z.string(),
    json_schema: z.record(z.string(), z.unknown()),
    limits: z.array(Limit),
    resource_server_id: z.uuid().nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'DetailType' })
export const DetailTypeList = z.object({ authorization_types: z.array(DetailTypeOut) }).meta({ id: 'DetailTypes' })
