// A way back for who lost every factor and has nobody to ask: wait as long as the tenant says, told by mail and able to stop it, then prove the mailbox.
import { consumeCode } from '#db/store/codes'
import { dropWaiting } from '#db/store/outbox'
import { findTenant } from '#db/store/tenants'
import { consumeTicket, endTickets, type Ticket } from '#db/store/tickets'
import { findUser, findUserByEmail, lockUser, type User as UserRow } from '#db/store/users'
import { atomically, forTenant, type TenantId, type TenantTx } from '#db/tenant'
import { byAnonymous, record } from '../audit/record.ts'
import { secondsAfter } from '../clock.ts'
import type { RequestCtx } from '../context.ts'
import { AppError } from '../errors.ts'
import { notify } from '../mail/notify.ts'
import { type Handle, handleHash, loadTicket, openTicket, readHandle } from '../sign-in/ticket.ts'
import { doorOf } from '../sign-up/client.ts'
import { createCode, lockOf, matchCode } from '../sign-up/code.ts'
import { comeBack, isUsable } from './come-back.ts'
import { recoveryOffers } from './offers.ts'

const DAY = 24 * 3600
/** How long a recovery that is ready can be finished. */
const READY_DAYS = 7
const STARTS_A_DAY = 3
const CODE_SECONDS = 600

export const CANCEL_PATH = '/account/recovery/cancel'

const refused = (about?: { readonly tenantId: string; readonly userId?: string }): AppError =>
  new AppError('invalid_recovery', undefined, { refusal: { event: 'recovery.completed', ...about } })

/** Alike for every address: a number of starts a day. @throws AppError rate_limited */
const limitStarts = (ctx: RequestCtx, tenantId: TenantId, email: string): Promise<void> => {
  const key = `recovery:${Buffer.from(ctx.hash('limit:recovery', tenantId, email))
    .toString('base64url')
    .slice(0, 22)}`
  return ctx.limits.check([{ key, windowSeconds: DAY, max: STARTS_A_DAY, guardsCredential: true }])
}

/** Whoever has a password proves it first; for everybody else the mailbox will do at the end. */
const mayStart = async (ctx: RequestCtx, user: UserRow | undefined, inBody: string | undefined): Promise<readonly string[] | undefined> => {
  const ticket = await loadTicket(ctx, 'login', readHandle(ctx, 'login', inBody))
  if (!isUsable(user)) return undefined
  if (user.passwordHash === null) return ['otp']
  return ticket?.userId === user.id && ticket.createdAt >= user.validFrom && ticket.verified.includes('pwd') ? ['pwd'] : undefined
}

/** Mails that wait with a recovery of the person; taken back when it is over. */
export const reminderKind = (userId: string) => `recovery_reminder:${userId}` as const

/** Half way, on the last day, and when the time has come. */
const remindersOf = (waitingDays: number): readonly number[] =>
  [...new Set([waitingDays / 2, waitingDays - 1, waitingDays])].filter((days) => days > 0)

type Reminding = { readonly owner: UserRow; readonly waitingDays: number; readonly readyAt: Date; readonly cancelUrl: string }
const remind = async (t: TenantTx, ctx: RequestCtx, { owner, waitingDays, readyAt, cancelUrl }: Reminding): Promise<void> => {
  for (const days of remindersOf(waitingDays)) {
    const later = { at: secondsAfter(ctx.clock.now(), days * DAY), kind: reminderKind(owner.id) }
    const data = { stage: days === waitingDays ? 'ready' : 'waiting', readyAt, cancelUrl } as const
    await notify(t, ctx, { to: owner.email, subjectId: owner.id, template: 'recovery_waiting', data, later })
  }
}

export type StartWaiting = { readonly clientId: string; readonly email: string; readonly loginTicket: string | undefined }
export type Waiting = { readonly recovery: string; readonly readyAt: Date }

/**
 * Begins the waiting period; the owner is told, with a link that stops it. Answers the same for every address: for nobody a recovery waits that ends nowhere.
 * Routes that call this emit `recovery.started`.
 * @throws AppError invalid_client, recovery_not_offered, rate_limited
 */
export const startWaiting = async (ctx: RequestCtx, given: StartWaiting): Promise<Waiting> => {
  const { tenantId, clientId } = await doorOf(ctx, given.clientId)
  const t = forTenant(ctx.db, tenantId)
  const { waitingDays } = recoveryOffers(await findTenant(t))
  if (waitingDays === undefined) throw new AppError('recovery_not_offered')
  await limitStarts(ctx, tenantId, given.email)
  const user = await findUserByEmail(t, given.email)
  const verified = await mayStart(ctx, user, given.loginTicket)
  const readyAt = secondsAfter(ctx.clock.now(), waitingDays * DAY)
  const seconds = (waitingDays + READY_DAYS) * DAY
  const owner = verified === undefined ? undefined : user
  const recovery = await atomically(t, async (tx) => {
    const common = { clientId, verified: [], seconds }
    const data = { ready_at: readyAt.toISOString(), verified: verified ?? [] }
    const handle = await openTicket(tx, ctx, { purpose: 'recovery_wait', userId: owner?.id ?? null, data, ...common })
    const cancel = await openTicket(tx, ctx, { purpose: 'recovery_cancel', userId: owner?.id ?? null, ...common })
    if (owner === undefined) return handle
    const cancelUrl = `${ctx.config.BASE_URL}${CANCEL_PATH}?ticket=${cancel}`
    await notify(tx, ctx, { to: owner.email, subjectId: owner.id, template: 'recovery_started', data: { readyAt, cancelUrl } })
    await remind(tx, ctx, { owner, waitingDays, readyAt, cancelUrl })
    const after = { ready_at: readyAt.toISOString() }
    await record(tx, ctx, { event: 'recovery.started', actor: byAnonymous, target: { type: 'user', id: owner.id }, after })
    return handle
  })
  ctx.wakeOutbox()
  return { recovery, readyAt }
}

type Live = { readonly handle: Handle; readonly ticket: Ticket; readonly user: UserRow | undefined }

/** A recovery whose time has come. Signing in meanwhile has ended it: who can sign in has lost nothing. @throws AppError invalid_recovery, recovery_waiting */
const readyRecovery = async (ctx: RequestCtx, text: string): Promise<Live> => {
  const handle = readHandle(ctx, 'recovery_wait', text)
  const ticket = await loadTicket(ctx, 'recovery_wait', handle)
  if (handle === undefined || ticket === undefined) throw refused()
  const readyAt = new Date(String(ticket.data?.ready_at))
  if (!(readyAt <= ctx.clock.now())) throw new AppError('recovery_waiting', undefined, { extra: { ready_at: readyAt.toISOString() } })
  const user = ticket.userId === null ? undefined : await findUser(forTenant(ctx.db, handle.tenantId), ticket.userId)
  const isOver = user !== undefined && ((user.lastLoginAt !== null && user.lastLoginAt > ticket.createdAt) || user.validFrom > ticket.createdAt)
  return { handle, ticket, user: isUsable(user) && !isOver ? user : undefined }
}

/** When a recovery that waits is ready; undefined for one that is over, or never was. For somebody who is nobody it waits as well. */
export const waitingUntil = async (ctx: RequestCtx, text: string): Promise<Date | undefined> => {
  const ticket = await loadTicket(ctx, 'recovery_wait', readHandle(ctx, 'recovery_wait', text))
  return ticket === undefined ? undefined : new Date(String(ticket.data?.ready_at))
}

/** After the waiting period: a code goes to the mailbox. The same answer where nobody waits. @throws AppError invalid_recovery, recovery_waiting */
export const askToFinish = async (ctx: RequestCtx, text: string): Promise<{ readonly expiresIn: number }> => {
  const { handle, user } = await readyRecovery(ctx, text)
  if (user !== undefined && (await ctx.quotas.allows(handle.tenantId, 'mailsPerHour'))) {
    await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
      const sent = await createCode(t, ctx, lockOf(ctx, 'recovery', user.email), CODE_SECONDS, true)
      if (!('code' in sent)) return
      await notify(t, ctx, {
        to: user.email,
        subjectId: user.id,
        template: 'recovery_code',
        data: { code: sent.code, minutes: CODE_SECONDS / 60 },
      })
    })
    ctx.wakeOutbox()
  }
  return { expiresIn: CODE_SECONDS }
}

/**
 * The mailbox is proved: the lost factors go, and a login transaction begins.
 * Routes that call this emit `recovery.completed`, `factors.reset`.
 * @throws AppError invalid_recovery, recovery_waiting
 */
export const finishWaiting = async (ctx: RequestCtx, text: string, code: string): Promise<string> => {
  const { handle, ticket, user } = await readyRecovery(ctx, text)
  const email = user?.email ?? `${ticket.id}@nobody.invalid`
  const codeId = await matchCode(ctx, handle.tenantId, lockOf(ctx, 'recovery', email), code)
  if (user === undefined || codeId === undefined) throw refused({ tenantId: handle.tenantId, ...(user === undefined ? {} : { userId: user.id }) })
  const login = await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
    const now = ctx.clock.now()
    await lockUser(t, user.id)
    const isFirst = (await consumeCode(t, codeId, now)) && (await consumeTicket(t, handleHash(ctx, handle.text), now)) !== undefined
    if (!isFirst) return undefined
    await endTickets(t, user.id, now, 'recovery_wait')
    await endTickets(t, user.id, now, 'recovery_cancel')
    await dropWaiting(t, reminderKind(user.id))
    await record(t, ctx, { event: 'recovery.completed', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
    const verified = Array.isArray(ticket.data?.verified) ? ticket.data.verified.map(String) : []
    return comeBack(t, ctx, { userId: user.id, by: 'waiting', clientId: ticket.clientId, verified, mailboxProvedAt: now })
  })
  if (login === undefined) throw refused({ tenantId: handle.tenantId, userId: user.id })
  ctx.wakeOutbox()
  return login
}

/** The owner stops it, by the mailed link. Answers the same for a link that is over. Routes that call this emit `recovery.cancelled`. */
export const cancelWaiting = async (ctx: RequestCtx, text: string): Promise<void> => {
  const handle = readHandle(ctx, 'recovery_cancel', text)
  const ticket = await loadTicket(ctx, 'recovery_cancel', handle)
  const userId = ticket?.userId
  if (handle === undefined || userId == null) return
  await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
    const now = ctx.clock.now()
    await endTickets(t, userId, now, 'recovery_wait')
    await endTickets(t, userId, now, 'recovery_cancel')
    await dropWaiting(t, reminderKind(userId))
    await record(t, ctx, { event: 'recovery.cancelled', actor: { type: 'user', id: userId }, target: { type: 'user', id: userId } })
  })
}
