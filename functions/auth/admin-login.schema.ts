// Wire shapes of an administrator's sign-in.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

const text = z.string().min(1).max(1024)

export const AdminLogin = z
  .object({
    email: Email,
    password: text,
    tenant_domain: z.string().max(253).optional(),
    nonce: z.string().max(256).optional(),
    timestamp: z.int().optional(),
    challenge: z.string().max(256).optional(),
    signature: z.string().max(1024).optional(),
    login_ticket: z.string().max(256).optional(),
  })
  .meta({ id: 'AdminLogin' })

export const HybridLogin = z
  .object({
    tenant_id: z.string(),
    email: z.string(),
    first_login: z.boolean(),
    otp_required: z.boolean(),
    mfa_required: z.boolean(),
    token: z.string().optional(),
    source: z.enum(['main_database', 'tenant_database']),
    user_type: z.enum(['global_admin', 'tenant_user']),
    tenant_domain: z.string().optional(),
    methods: z.array(z.string()).optional(),
    login_ticket: z.string().optional(),
    password_change_required: z.boolean().optional(),
    temporary_password: z.boolean().optional(),
  })
  .meta({ id: 'HybridLogin' })

export const AdminPrecheck = z.object({ email: Email, current_domain: z.string().max(253).optional() }).meta({ id: 'AdminPrecheck' })
export const AdminPrechecked = z
  .object({
    exists: z.boolean(),
    next_step: z.enum(['login', 'bootstrap']),
    requires_password: z.boolean(),
    tenant_domain: z.string().optional(),
    available_providers: z.array(z.string()).optional(),
  })
  .meta({ id: 'AdminPrechecked' })

export const MintBody = z
  .object({
    email: Email,
    /** As in the response of the first step; the hybrid login calls the system tenant `admin`. */
    tenant_id: z.union([z.uuid(), z.literal('admin')]),
    mfa_verified: z.boolean(),
    flow_context: z.string().max(64).optional(),
    login_ticket: z.string().max(256).optional(),
  })
  .meta({ id: 'FinishLogin' })
