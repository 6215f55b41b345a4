// Wire shapes of invitations.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'
import { Id } from './fields.schema.ts'
import { PersonName, Username } from './people.schema.ts'

export const InviteBody = z
  .object({
    email: Email,
    username: Username,
    first_name: PersonName.optional(),
    last_name: PersonName.optional(),
    client_id: Id.optional(),
    tenant_id: Id.optional(),
    project_id: Id.optional(),
    tenant_domain: z.string().max(253).optional(),
  })
  .meta({ id: 'InviteBody' })
export const InvitedUser = z.object({ user_id: Id, tenant_id: Id.optional() }).meta({ id: 'InvitedUser' })

const sent = {
  message: z.string(),
  user_id: z.string(),
  email: z.string(),
  /** Only when no mail could be sent. */
  temporary_password: z.string().optional(),
  expires_at: z.string(),
  email_sent: z.boolean(),
}
export const Invited = z
  .object({
    ...sent,
    username: z.string(),
    user: z.object({
      id: z.string(),
      email: z.string(),
      username: z.string(),
      client_id: z.string().optional(),
      tenant_id: z.string().optional(),
      project_id: z.string().optional(),
      tenant_domain: z.string().optional(),
    }),
  })
  .meta({ id: 'Invited' })
export const Reinvited = z.object(sent).meta({ id: 'Reinvited' })
export const InvitationCancelled = z.object({ message: z.string(), user_id: z.string(), email: z.string() }).meta({ id: 'InvitationCancelled' })
export const PendingInvites = z
  .object({
    invites: z.array(
      z.object({
        user_id: z.string(),
        email: z.string(),
        username: z.string(),
        name: z.string(),
        tenant_domain: z.string().optional(),
        expires_at: z.string().optional(),
        is_expired: z.boolean(),
        created_at: z.string(),
      }),
    ),
    total: z.int(),
  })
  .meta({ id: 'PendingInvites' })
