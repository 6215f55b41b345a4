// Wire shapes of people on the extension paths, which refuse unknown members.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { AvatarUrl, FlexibleBoolean, PersonName, Provider, SearchText, Username } from '#shared/domains/administration/people.schema'
import { Email } from '#shared/kernel/email'

export const Person = z
  .object({
    id: z.string(),
    email: z.string(),
    email_verified: z.boolean(),
    name: z.string(),
    username: z.string().nullable(),
    avatar_url: z.string().nullable(),
    external_id: z.string().nullable(),
    provider: z.string(),
    client_id: z.string().nullable(),
    active: z.boolean(),
    is_primary_admin: z.boolean(),
    pending: z.boolean(),
    last_login_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Person' })

export const PeopleQuery = z.strictObject({
  search: SearchText.optional(),
  active: FlexibleBoolean.optional(),
  provider: Provider.optional(),
  client_id: Id.optional(),
  external_id: z.string().min(1).max(255).optional(),
  group_id: Id.optional(),
  second_factor: FlexibleBoolean.optional(),
  sort: z.enum(['created_at', '-created_at', 'email', '-email', 'name', '-name']).default('-created_at'),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(50),
})
export const PeoplePage = z
  .object({
    people: z.array(Person),
    /** Counted up to 10,000 with a filter, up to 1,000 with a search. */
    total: z.int(),
    next: z.string().nullable(),
  })
  .meta({ id: 'PeoplePage' })
export const PersonPath = z.object({ user_id: Id })
/** Null removes a value. */
export const PatchPerson = z
  .strictObject({
    email: Email.optional(),
    name: PersonName.optional(),
    username: Username.nullable().optional(),
    avatar_url: AvatarUrl.nullable().optional(),
    external_id: z.string().trim().min(1).max(255).nullable().optional(),
  })
  .meta({ id: 'PatchPerson' })

const details = z.record(z.string(), z.unknown())
export const PersonExport = z
  .object({
    format: z.literal('authsec.person.v1'),
    exported_at: z.string(),
    person: Person,
    /** The language that the person chose. */
    language: z.string().nullable(),
    roles: z.array(z.object({ id: z.string(), name: z.string() })),
    groups: z.array(z.object({ id: z.string(), name: z.string() })),
    permissions: z.array(z.string()),
    factors: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        name: z.string(),
        /** Masked: the last digits of the number. */
        phone: z.string().nullable(),
        created_at: z.string(),
        confirmed_at: z.string().nullable(),
      }),
    ),
    sessions: z.array(
      z.object({
        id: z.string(),
        created_at: z.string(),
        last_seen_at: z.string(),
        expires_at: z.string(),
        revoked_at: z.string().nullable(),
        address: z.string(),
        user_agent: z.string(),
        amr: z.array(z.string()),
      }),
    ),
    devices: z.array(z.object({ last_used_at: z.string() })),
    /** Linked identities at external providers. */
    identities: z.array(
      z.object({
        provider: z.string(),
        issuer: z.string(),
        subject: z.string(),
        email: z.string().nullable(),
        profile: z.record(z.string(), z.unknown()).nullable(),
        last_login_at: z.string().nullable(),
        created_at: z.string(),
      }),
    ),
    /** Phones and browsers that approve requests for the person. */
    push_devices: z.array(
      z.object({
        platform: z.string(),
        name: z.string().nullable(),
        model: z.string().nullable(),
        last_used_at: z.string().nullable(),
        created_at: z.string(),
      }),
    ),
    voice_links: z.array(
      z.object({
        platform: z.string(),
        voice_user_id: z.string(),
        name: z.string().nullable(),
        last_used_at: z.string().nullable(),
        linked_at: z.string(),
      }),
    ),
    /** Consents of the person to clients. */
    consents: z.array(
      z.object({
        client_id: z.string(),
        client_name: z.string(),
        resource: z.string().nullable(),
        scopes: z.array(z.string()),
        created_at: z.string(),
      }),
    ),
    /** The newest 10,000 events caused by the person or about the person, newest first. */
    events: z.array(
      z.object({
        id: z.string(),
        at: z.string(),
        event: z.string(),
        outcome: z.string(),
        by_person: z.boolean(),
        /** Only for events about the person. */
        details: details.nullable(),
      }),
    ),
  })
  .meta({ id: 'PersonExport' })
export const PersonErased = z.object({ user_id: z.string(), deleted_counts: z.record(z.string(), z.int()) }).meta({ id: 'PersonErased' })

export const RestoreToken = z.strictObject({ restore_token: z.string().min(1).max(256) }).meta({ id: 'RestoreToken' })
export const RestoreByPlatform = z.strictObject({ tenant_id: Id }).meta({ id: 'RestoreByPlatform' })
