// Wire shapes of trusted issuers.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { Jwks } from '#shared/domains/oauth/jwks.schema'

export const IssuerPath = z.strictObject({ issuer_id: Id })

const url = z.string().min(1).max(2000)
const scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope of RFC 6749')
const members = {
  name: z.string().trim().min(1).max(200),
  active: z.boolean(),
  accepts: z
    .strictObject({
      identity_assertions: z.boolean().default(false),
      jwt: z.boolean().default(false).meta({ description: 'Any other assertion of RFC 7523 section 2.1.' }),
      jwks_uri: url.optional(),
      jwks: Jwks.optional(),
      subject_mapping: z
        .enum(['identity', 'user_id', 'external_id'])
        .default('identity')
        .meta({ description: 'What `sub` identifies: a linked identity of the issuer, a user id, or an external id. Never an e-mail address.' }),
      scopes: z.array(scope).max(100).nullable().default(null).meta({ description: 'The maximum scopes of tokens for its assertions.' }),
    })
    .nullable(),
  sends: z
    .strictObject({
      client_ids: z
        .record(z.uuid(), z.string().min(1).max(500))
        .meta({ description: 'Client ids at the issuer, by client id here.', examples: [{}] }),
      scopes: z.array(scope).max(100).default([]),
    })
    .nullable()
    .meta({ description: 'Identity assertions about people of the tenant are issued for it.' }),
}

export const NewIssuer = z
  .strictObject({
    ...members,
    issuer: url,
    active: members.active.default(true),
    accepts: members.accepts.default(null),
    sends: members.sends.default(null),
  })
  .meta({ id: 'NewTrustedIssuer' })
export const IssuerChange = z
  .strictObject(members)
  .partial()
  .refine((changes) => Object.keys(changes).length > 0, 'nothing to change')
  .meta({ id: 'TrustedIssuerChange' })

export const IssuerOut = z
  .object({
    id: z.uuid(),
    issuer: z.string(),
    name: z.string(),
    active: z.boolean(),
    accepts: z
      .object({
        identity_assertions: z.boolean(),
        jwt: z.boolean(),
        jwks_uri: z.string().nullable(),
        jwks: z.object({ keys: z.array(z.record(z.string(), z.unknown())) }).nullable(),
        subject_mapping: z.enum(['identity', 'user_id', 'external_id']),
        scopes: z.array(z.string()).nullable(),
      })
      .nullable(),
    sends: z.object({ client_ids: z.record(z.string(), z.string()), scopes: z.array(z.string()) }).nullable(),
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ id: 'TrustedIssuer' })
export const IssuerList = z.object({ trusted_issuers: z.array(IssuerOut) }).meta({ id: 'TrustedIssuers' })
