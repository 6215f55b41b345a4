// A person's own factors, and what administrators do about another's.

import { regenerateBackupCodes } from '#shared/domains/factors/backup-codes'
import { removeFactor } from '#shared/domains/factors/manage'
import { STEP_UP_SECONDS } from '#shared/domains/factors/step-up-age'
import { mayFresh, user } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import {
  ChangeFactor,
  FactorPath,
  FactorPersonPath,
  FactorRemoved,
  FactorsReset,
  NewBackupCodes,
  OwnFactors,
  PersonFactorPath,
  RecoveryPass,
  RemoveQuery,
} from './factors.schema.ts'
import { changeFactor, listFactors } from './factors.ts'
import { route } from './group.ts'

/** Whoever takes a factor away has just signed in, with one. */
const FRESH = { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' } as const
const overPeople = mayFresh({ withinSeconds: STEP_UP_SECONDS }, 'admin:access', 'users:write')

export const ownFactorRoutes = [
  route({
    id: 'factors.list',
    on: 'GET /account/factors',
    summary: 'One\u2019s own sign-in methods.',
    access: user(),
    reply: json(200, OwnFactors),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal }) => listFactors(ctx, principal),
  }),
  route({
    id: 'factors.change',
    on: 'PATCH /account/factors/:factor_id',
    summary: 'Rename a factor of one\u2019s own, or make it the primary one.',
    access: user(),
    path: FactorPath,
    body: ChangeFactor,
    reply: json(200, OwnFactors),
    errors: ['not_found'],
    emits: ['factor.renamed', 'factor.made_primary'],
    handle: ({ ctx, principal, path, body }) => changeFactor(ctx, principal, path.factor_id.toLowerCase(), body),
  }),
  route({
    id: 'factors.remove',
    on: 'DELETE /account/factors/:factor_id',
    summary: 'Remove a factor of one\u2019s own; all other sessions end.',
    access: user(FRESH),
    path: FactorPath,
    query: RemoveQuery,
    reply: json(200, FactorRemoved),
    errors: ['not_found', 'last_factor', 'weaker_factors_remain'],
    emits: ['factor.removed'],
    handle: async ({ ctx, principal, path, query }) => {
      const id = path.factor_id.toLowerCase()
      const { left } = await removeFactor(ctx, principal, { id, acceptWeaker: query.accept_weaker === 'true' })
      return { factors_left: left }
    },
  }),
  route({
    id: 'factors.regenerateBackupCodes',
    on: 'POST /account/factors/backup-codes',
    summary: 'New backup codes; the old ones are void.',
    access: user(FRESH, { class: 'credential' }),
    reply: json(201, NewBackupCodes),
    errors: [],
    emits: ['backup_codes.replaced'],
    handle: async ({ ctx, principal }) => ({ backup_codes: [...(await regenerateBackupCodes(ctx, principal))] }),
  }),
  route({
    id: 'factors.resetOfPerson',
    on: 'DELETE /people/:user_id/factors',
    summary: 'Take all factors of somebody away, with every right that the person holds.',
    access: overPeople,
    path: FactorPersonPath,
    reply: json(200, FactorsReset),
    errors: ['not_found', 'forbidden', 'cannot_grant'],
    emits: ['factors.reset'],
    handle: async ({ ctx, principal, path }) =>
      (await import('#shared/domains/factors/reset')).resetFactorsOf(ctx, principal, path.user_id.toLowerCase()),
  }),
  route({
    id: 'factors.clearAlarm',
    on: 'POST /account/factors/:factor_id/clear-alarm',
    summary: 'Accept a passkey of one\u2019s own again that was refused because its counter went back; takes another factor.',
    access: user(FRESH),
    path: FactorPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['passkey.alarm_cleared'],
    handle: async ({ ctx, principal, path }) => {
      await (await import('#shared/domains/factors/clone-alarm')).clearOwnCloneAlarm(ctx, principal, path.factor_id.toLowerCase())
      return undefined
    },
  }),
  route({
    id: 'factors.clearAlarmOfPerson',
    on: 'POST /people/:user_id/factors/:factor_id/clear-alarm',
    summary: 'Accept somebody\u2019s passkey again that was refused because its counter went back, with every right that the person holds.',
    access: overPeople,
    path: PersonFactorPath,
    reply: empty(204),
    errors: ['not_found', 'forbidden', 'cannot_grant'],
    emits: ['passkey.alarm_cleared'],
    handle: async ({ ctx, principal, path }) => {
      await (await import('#shared/domains/factors/clone-alarm')).clearCloneAlarmOf(
        ctx,
        principal,
        path.user_id.toLowerCase(),
        path.factor_id.toLowerCase(),
      )
      return undefined
    },
  }),
  route({
    id: 'factors.issuePass',
    on: 'POST /people/:user_id/recovery-pass',
    summary: 'Issue a one-time pass in place of the factors that somebody lost.',
    access: overPeople,
    path: FactorPersonPath,
    reply: json(201, RecoveryPass),
    errors: ['not_found', 'forbidden', 'cannot_grant', 'recovery_not_offered'],
    emits: ['recovery_pass.issued'],
    handle: async ({ ctx, principal, path }) => {
      const { pass, expiresIn } = await (await import('#shared/domains/recovery/pass')).issuePass(ctx, principal, path.user_id.toLowerCase())
      return { pass, expires_in: expiresIn }
    },
  }),
]
