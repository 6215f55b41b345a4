// Wire shapes of registration entries.
import * as z from 'zod'
import { Id, paging } from '#shared/domains/administration/fields.schema'

export const EntryPath = z.strictObject({ entry_id: Id })

const MAX_SECONDS = 86_400
const spiffe_id = z
  .string()
  .min(1)
  .max(2048)
  .meta({
    description: 'In the organisation\u2019s trust domain, with a path.',
    examples: ['spiffe://0192f1c0-6b1e-7d5a-9c54-3b5d7a1e2f00/ns/prod/sa/api'],
  })
const parent_id = z.string().min(1).max(2048).meta({ description: 'The SPIFFE id below which it is registered; by default the trust domain itself.' })
const selectors = z
  .array(z.string().max(500))
  .min(1)
  .max(50)
  .meta({ description: '`type:value`. A workload matches when it proves all of them.', examples: [['k8s:ns:prod', 'k8s:sa:api']] })
const seconds = (what: string) =>
  z
    .number()
    .int()
    .min(10)
    .max(MAX_SECONDS)
    .meta({ description: `Longest lifetime of ${what}.` })
const audiences = z
  .array(z.string().regex(/^[\x21-\x7e]{1,400}$/))
  .max(50)
  .meta({ description: 'Audiences that JWT-SVIDs may name; `*` allows any.' })
const federates_with = z.array(z.string().max(255)).max(50)

export const NewEntry = z
  .strictObject({
    spiffe_id,
    parent_id: parent_id.optional(),
    selectors,
    agent_id: Id.optional().meta({ description: 'The agent or client for which the workload stands. The entry stops with it.' }),
    x509_seconds: seconds('X.509-SVIDs').default(3600),
    jwt_seconds: seconds('JWT-SVIDs and WIT-SVIDs').default(300),
    audiences: audiences.default([]),
    federates_with: federates_with.default([]),
  })
  .meta({ id: 'NewRegistrationEntry' })
export const EntryChanges = z
  .strictObject({
    parent_id,
    selectors,
    agent_id: Id.nullable(),
    x509_seconds: seconds('X.509-SVIDs'),
    jwt_seconds: seconds('JWT-SVIDs and WIT-SVIDs'),
    audiences,
    federates_with,
  })
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
  .meta({ id: 'RegistrationEntryChanges' })

export const EntryQuery = z.strictObject({
  spiffe_id: z.string().max(2048).optional(),
  parent_id: z.string().max(2048).optional(),
  agent_id: Id.optional(),
  cursor: paging.cursor,
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

export const EntryOut = z
  .object({
    id: z.uuid(),
    spiffe_id: z.string(),
    parent_id: z.string(),
    selectors: z.array(z.string()),
    agent_id: z.uuid().nullable(),
    x509_seconds: z.int(),
    jwt_seconds: z.int(),
    audiences: z.array(z.string()),
    federates_with: z.array(z.string()),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'RegistrationEntry' })
export const EntryList = z.object({ entries: z.array(EntryOut) }).meta({ id: 'RegistrationEntryList' })
