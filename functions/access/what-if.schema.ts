// Wire shapes of the dry run.
import * as z from 'zod'
import { Scope } from './explain.schema.ts'

const id = z.uuid().transform((text) => text.toLowerCase())
const Bind = z.strictObject({
  op: z.literal('bind'),
  role_id: id,
  subject: z.strictObject({ type: z.enum(['user', 'service_account', 'group']), id }),
  scope: z.strictObject({ type: z.string().min(1).max(200), id }).optional(),
  conditions: z.unknown().optional(),
  expires_at: z.iso.datetime({ offset: true }).optional(),
})
const Unbind = z.strictObject({ op: z.literal('unbind'), binding_id: id })
const SetRolePermissions = z.strictObject({
  op: z.literal('set_role_permissions'),
  role_id: id,
  /** All permissions of the role after the change. */
  permissions: z.array(z.string().max(400)).max(1000),
})
const DeleteRole = z.strictObject({ op: z.literal('delete_role'), role_id: id })

export const WhatIf = z
  .strictObject({
    changes: z
      .array(z.discriminatedUnion('op', [Bind, Unbind, SetRolePermissions, DeleteRole]))
      .min(1)
      .max(100),
  })
  .meta({ id: 'AccessWhatIf' })

const Effect = z.object({
  subject: z.object({ type: z.enum(['user', 'service_account']), id: z.string() }),
  permission: z.string(),
  /** Null: the whole tenant. */
  scope: Scope.nullable(),
  /** Only under the conditions of the binding. */
  conditional: z.boolean(),
  expires_at: z.string().nullable(),
})
export const Effects = z
  .object({
    policy_version: z.int(),
    /** How many active people and service accounts were compared. */
    examined: z.int(),
    gains: z.array(Effect),
    losses: z.array(Effect),
    /** More people are affected, or more is gained or lost, than the answer lists. */
    truncated: z.boolean(),
  })
  .meta({ id: 'AccessEffects' })
