// Routes for a person's own factors, and for administrators to reset the factors of another person.
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

/** Removing a factor needs a recent sign-in with a factor. */
const RECENT_WITH_FACTOR = { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' } as const
const overPeople = mayFresh({ withinSeconds: STEP_UP_SECONDS }, 'admin:access', 'users:write')

export const ownFactorRoutes = [
  route({
    id: 'factors.list',
    on: 'GET /account/factors',
    summary: 'List the caller\u2019s own factors.',
    access: user(),
    reply: json(200, OwnFactors),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal }) => listFactors(ctx, principal),
  }),
  route({
    id: 'factors.change',
    on: 'PATCH /account/factors/:factor_id',
    summary: 'Rename one of the caller\u2019s factors, or make it primary.',
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
    summary: 'Remove one of the caller\u2019s factors; all other sessions end.',
    access: user(RECENT_WITH_FACTOR),
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
    summary: 'Replace the backup codes; the old ones are void.',
    access: user(RECENT_WITH_FACTOR, { class: 'credential' }),
    reply: json(201, NewBackupCodes),
    errors: [],
    emits: ['backup_codes.replaced'],
    handle: async ({ ctx, principal }) => ({ backup_codes: [...(await regenerateBackupCodes(ctx, principal))] }),
  }),
  route({
    id: 'factors.resetOfPerson',
    on: 'DELETE /people/:user_id/factors',
    summary: 'Remove all factors of a person. The caller needs every permission of the person.',
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
    summary: 'Accept the caller\u2019s passkey again after its counter went back; needs another factor.',
    access: user(RECENT_WITH_FACTOR),
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
    summary: 'Accept a person\u2019s passkey again after its counter went back. The caller needs every permission of the person.',
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
    summary: 'Issue a one-time pass that replaces the lost factors of a person.',
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
