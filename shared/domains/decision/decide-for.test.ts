// Decisions as routes request them.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { putBinding, putRole } from '#db/testing/access'
import type { User } from '#shared/platform/principals/principal'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { newBackend } from '#tests/support/backend'
import { decideFor, NOT_GRANTED } from './decide-for.ts'

const asUser = (person: Person): User => ({
  kind: 'user',
  tenantId: person.tenantId,
  userId: person.id,
  sessionId: person.id,
  tokenId: person.id,
  tokenExpiresAt: new Date(0),
  clientId: undefined,
  email: person.email,
  permissions: new Set(),
  amr: ['pwd'],
  acr: 'aal1',
  authTime: new Date('2026-03-02T08:59:00.000Z'),
  passwordChangeRequired: false,
})

const deps = (app: TestApp) => ({
  ...app.ctx,
  request: { address: '192.0.2.1' } as never,
})

const grant = (app: TestApp, company: Company, person: Person, permission: string, conditions?: unknown): Promise<string> =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const at = app.clock.now()
    const roleId = await putRole(t, `may ${permission}`, [permission], at)
    const id = await putBinding(t, roleId, { userId: person.id }, at, conditions === undefined ? {} : { conditions })
    return id
  })

describe('a decision about a principal', () => {
  test('names the binding and role of a permit, and nothing of a denial', async () => {
    const app = await startApp([])
    const company = await app.company()
    const pat = await app.person(company)
    const caller = asUser(company.admin)
    const request = { principalId: pat.id, resource: 'invoice', action: 'read' }
    expect(await decideFor(deps(app), company.tenantId, request, caller)).toEqual({ allowed: false, trace: NOT_GRANTED })
    const bindingId = await grant(app, company, pat, 'invoice:read')
    expect(await decideFor(deps(app), company.tenantId, { ...request, principalId: pat.id.toUpperCase() }, caller)).toEqual({
      allowed: true,
      trace: `Granted by role binding ${bindingId} (role may invoice:read).`,
    })
    const unknown = [app.ctx.random.id(), 'no-uuid', '']
    for (const principalId of unknown)
      expect(await decideFor(deps(app), company.tenantId, { ...request, principalId }, caller)).toEqual({ allowed: false, trace: NOT_GRANTED })
  })

  test('the context of another principal comes from the caller; the caller\u2019s own comes from the session', async () => {
    const app = await startApp([])
    const company = await app.company()
    const pat = await app.person(company)
    await grant(app, company, pat, 'invoice:read', { mfa_required: true })
    const request = { principalId: pat.id, resource: 'invoice', action: 'read' }
    const allowed = async (question: typeof request & { context?: { mfa: boolean } }, caller: User): Promise<boolean> =>
      (await decideFor(deps(app), company.tenantId, question, caller)).allowed
    const [admin, weak] = [asUser(company.admin), asUser(pat)]
    expect(await allowed(request, admin)).toBe(false)
    expect(await allowed({ ...request, context: { mfa: true } }, admin)).toBe(true)
    expect(await allowed({ ...request, context: { mfa: true } }, weak)).toBe(false)
    expect(await allowed({ ...request, context: { mfa: false } }, { ...weak, acr: 'aal2' })).toBe(true)
  })

  test('an impossible time fails the condition that needs it', async () => {
    const app = await startApp([])
    const company = await app.company()
    const pat = await app.person(company)
    const hours = { time_zone: 'UTC', windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '24:00' }] }
    await grant(app, company, pat, 'invoice:read', { hours })
    const allowed = async (at: number | string): Promise<boolean> => {
      const request = { principalId: pat.id, resource: 'invoice', action: 'read', context: { at } }
      return (await decideFor(deps(app), company.tenantId, request, asUser(company.admin))).allowed
    }
    expect([await allowed(8.64e12), await allowed(0), await allowed('9999-12-31T23:59:59Z')]).toEqual([true, true, true])
    for (const at of [8.64e12 + 1, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, Number.NaN, 'nonsense']) expect(await allowed(at)).toBe(false)
  })

  test('a principal id may name a service account', async () => {
    const app = await startApp([])
    const company = await app.company()
    const backend = await newBackend(app, company, ['invoice:read'])
    const request = { principalId: backend.serviceAccountId, resource: 'invoice', action: 'read' }
    expect(await decideFor(deps(app), company.tenantId, request, asUser(company.admin))).toMatchObject({ allowed: true })
    expect(await decideFor(deps(app), company.tenantId, { ...request, action: 'write' }, asUser(company.admin))).toMatchObject({ allowed: false })
  })
})
