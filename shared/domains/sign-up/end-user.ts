// Sign-up of an end user with a tenant: by a mailed code, or directly where the tenant allows it. A sign-up never changes an existing account.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import {
  consumeCode,
  deletePendingRegistrations,
  findPendingRegistration,
  findPendingRegistrationByCode,
  insertPendingRegistration,
} from '#db/store/codes'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUserByEmail, insertUser } from '#db/store/users'
import type { Application } from '#shared/domains/clients/application'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { checkNewPassword } from '#shared/domains/passwords/policy'
import { allowsDirectSignUp } from '#shared/domains/tenancy/compatibility'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import { type Attempt, finishableAttempt, newAttempt } from './attempt.ts'
import { codeLockOf, createCode, matchCode } from './code.ts'

const PENDING_SECONDS = 30 * 60
const CODE_SECONDS = 10 * 60

export type SignUpCtx = RequestCtx & { readonly breached: BreachedPasswords }
type Given = { readonly email: string; readonly password: string }

/** @throws AppError invalid_client when the tenant is unknown or inactive */
const requireActiveTenant = async (ctx: SignUpCtx, application: Application): Promise<Tenant> => {
  const tenant = await findTenant(forTenant(ctx.db, application.tenantId))
  if (tenant === undefined || tenant.status !== 'active') throw new AppError('invalid_client', undefined, { field: 'body.client_id' })
  return tenant
}

const hashNew = async (ctx: SignUpCtx, tenant: Tenant, { email, password }: Given): Promise<string> => {
  const secondFactorRequired = tenant.settings.requireSecondFactor === true
  await checkNewPassword({ password, email, tenantDomain: tenant.domain, secondFactorRequired, field: 'body.password' }, ctx.breached)
  return ctx.passwords.hash(password)
}

type Account = { readonly email: string; readonly passwordHash: string; readonly clientId: string | null; readonly verified: boolean }

/** Returns the id; undefined when the address is taken. @throws AppError quota_exceeded */
const addUser = async (t: TenantTx, ctx: SignUpCtx, tenant: Tenant, account: Account): Promise<string | undefined> => {
  const at = ctx.clock.now()
  const id = ctx.random.id()
  const added = await insertUser(t, {
    id,
    clientId: account.clientId,
    email: account.email,
    emailVerifiedAt: account.verified ? at : null,
    createdUnproved: !account.verified,
    name: account.email,
    passwordHash: account.passwordHash,
    provider: 'custom',
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  })
  if (!added) return undefined
  await consumeQuota(t, tenant.settings, 'users')
  await recordEvent(t, ctx, {
    event: 'user.created',
    actor: byAnonymous,
    target: { type: 'user', id },
    subjectId: id,
    after: { email: account.email, verified: account.verified },
  })
  return id
}

/**
 * Mails the owner of an existing account (at most once a minute) that a sign-up used their address; the page does not disclose it. Sealed under the tenant's key:
 * loading the person's key would disclose the account by timing.
 */
const notifyOwner = async (t: TenantTx, ctx: SignUpCtx, email: string): Promise<void> => {
  await notify(t, ctx, {
    to: email,
    template: 'already_registered',
    data: { signInUrl: ctx.config.PUBLIC_UI_ORIGIN ?? ctx.config.BASE_URL },
  })
}

/**
 * Stores the sign-up and mails its code. An address with an account gets the same answer and another mail. Returns what its browser or client completes it with.
 * @throws AppError invalid_client, password_*, too_many_codes, quota_exceeded
 */
export const startEndUserSignUp = async (ctx: SignUpCtx, application: Application, given: Given): Promise<Attempt> => {
  const tenant = await requireActiveTenant(ctx, application)
  await ctx.quotas.use(application.tenantId, 'mailsPerHour')
  const passwordHash = await hashNew(ctx, tenant, given)
  const attempt = newAttempt(ctx, PENDING_SECONDS)
  await atomically(forTenant(ctx.db, application.tenantId), async (t) => {
    const now = ctx.clock.now()
    const sent = await createCode(t, ctx, codeLockOf(ctx, 'user_registration', given.email), CODE_SECONDS, false)
    if (!('code' in sent)) throw new AppError('too_many_codes', undefined, sent)
    const id = ctx.random.id()
    // Also for a known address, with a code that is not sent, so that the next step does not disclose it either.
    await insertPendingRegistration(t, {
      id,
      kind: 'end_user',
      codeId: sent.id,
      email: given.email,
      passwordHash,
      attemptHash: attempt.hash,
      clientId: application.clientId,
      createdAt: now,
      expiresAt: secondsAfter(now, PENDING_SECONDS),
    })
    const known = await findUserByEmail(t, given.email)
    if (known) await notifyOwner(t, ctx, given.email)
    else await notify(t, ctx, { to: given.email, template: 'user_registration_code', data: { code: sent.code, minutes: CODE_SECONDS / 60 } })
    await recordEvent(t, ctx, {
      event: 'registration.started',
      actor: byAnonymous,
      target: { type: 'registration', id },
      after: { email: given.email },
    })
  })
  ctx.wakeOutbox()
  return attempt
}

/**
 * Signs up in one step. Where the tenant admits people with unproved addresses, the account is created at once; elsewhere a code is mailed, and what completes the sign-up is returned.
 * @throws AppError invalid_client, password_*, too_many_codes, quota_exceeded
 */
export const signUpDirectly = async (ctx: SignUpCtx, application: Application, given: Given): Promise<Attempt | undefined> => {
  const tenant = await requireActiveTenant(ctx, application)
  if (!allowsDirectSignUp(ctx, tenant)) return startEndUserSignUp(ctx, application, given)
  await ctx.quotas.use(application.tenantId, 'mailsPerHour')
  const passwordHash = await hashNew(ctx, tenant, given)
  await atomically(forTenant(ctx.db, application.tenantId), async (t) => {
    const added = await addUser(t, ctx, tenant, { email: given.email, passwordHash, clientId: application.clientId, verified: false })
    const known = added === undefined ? await findUserByEmail(t, given.email) : undefined
    if (known === undefined) return
    // Sends no code; the lock only limits how often the mailbox is notified.
    const notice = await createCode(t, ctx, codeLockOf(ctx, 'user_registration', given.email), CODE_SECONDS, false)
    if ('code' in notice) await notifyOwner(t, ctx, given.email)
  })
  ctx.wakeOutbox()
  return undefined
}

type Completion = {
  readonly email: string
  readonly otp: string
  /** From a client that keeps no cookies. */
  readonly ticket?: string | undefined
}

/**
 * Verifies the code of the sign-up that this browser or client began, and creates the account with the password that was given there.
 * @throws AppError registration_expired, invalid_client (of another client), invalid_otp, email_taken, quota_exceeded
 */
export const completeEndUserSignUp = async (ctx: SignUpCtx, application: Application, { email, otp, ticket }: Completion): Promise<void> => {
  const tenant = await requireActiveTenant(ctx, application)
  const t = forTenant(ctx.db, application.tenantId)
  const own = finishableAttempt(ctx, await findPendingRegistration(t, 'end_user', email, ctx.clock.now()), ticket)
  if (own === undefined) throw new AppError('registration_expired')
  const wrong = new AppError('invalid_otp', undefined, { refusal: { tenantId: application.tenantId, event: 'user.created' } })
  const codeId = await matchCode(ctx, application.tenantId, { lock: codeLockOf(ctx, 'user_registration', email), email, code: otp })
  if (codeId !== own.codeId) throw wrong
  await atomically(t, async (tx) => {
    const pending = await findPendingRegistrationByCode(tx, codeId, ctx.clock.now())
    if (pending === undefined || !(await consumeCode(tx, codeId, ctx.clock.now()))) throw wrong
    if (pending.clientId !== application.clientId) throw new AppError('invalid_client', 'Client ID mismatch', { field: 'body.client_id' })
    const added = await addUser(tx, ctx, tenant, { email, passwordHash: pending.passwordHash, clientId: pending.clientId, verified: true })
    if (added === undefined) throw new AppError('email_taken')
    await deletePendingRegistrations(tx, [pending.id])
  })
}
