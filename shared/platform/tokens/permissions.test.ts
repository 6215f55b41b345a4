// Permissions are read from the store for every request; the database cost of that.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { bindRole } from '#db/store/bindings'
import { ensurePermissions } from '#db/store/permissions'
import { ensureSystemRole } from '#db/store/roles'
import { updateTenantSettings } from '#db/store/tenants'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { secondsAfter } from '#shared/kernel/clock'
import { createPrincipals } from '#shared/platform/principals/principals'
import type { TestApp } from '#tests/support/app'
import { me, startCallerApp as start, status } from '#tests/support/caller-routes'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { verifySessionToken } from './session-token.ts'
import type { SigningKeys } from './signing-keys.ts'

describe('a permission', () => {
  /** Pat holds the permissions through a role of the tenant. */
  const withRole = async (app: TestApp, grant: readonly `${string}:${string}`[] = ['things:read']) => {
    const company = await app.company()
    const pat = await app.person(company, grant)
    const bindings = (set: string, ...more: readonly unknown[]) =>
      atomically(forTenant(app.db, company.tenantId), (t) =>
        t.run({ text: `${set} where tenant_id = $1 and user_id = $2`, params: [t.tenantId, pat.id, ...more], arrays: true }),
      )
    return { company, pat, token: await app.token(pat), bindings }
  }

  test('ends with the next request after its binding is removed', async () => {
    const app = await start()
    const { token, bindings } = await withRole(app)
    expect(await status(app, token, '/p/read')).toBe(200)
    await bindings('delete from authsec.role_bindings')
    expect(await status(app, token, '/p/read')).toBe(403)
    expect(await status(app, token)).toBe(200)
  })

  test('ends when its binding expires', async () => {
    const app = await start()
    const { token, bindings } = await withRole(app)
    await bindings('update authsec.role_bindings set expires_at = $3', secondsAfter(app.clock.now(), 10).toISOString())
    app.clock.advance(9)
    expect(await status(app, token, '/p/read')).toBe(200)
    app.clock.advance(1)
    expect(await status(app, token, '/p/read')).toBe(403)
  })

  test.each<[string, string]>([
    ['a condition', `conditions = '{"mfa_required": true}'`],
    ['an unknown condition', `conditions = '{"moon": "full"}'`],
    ['a null condition', `conditions = 'null'`],
    ['a scope', `scope_type = 'project', scope_id = user_id`],
  ])('is not given by a binding with %s', async (_, set) => {
    const app = await start()
    const { token, bindings } = await withRole(app)
    await bindings(`update authsec.role_bindings set ${set}`)
    expect(await status(app, token, '/p/read')).toBe(403)
  })

  test('comes through a group and ends with the membership', async () => {
    const app = await start()
    const { company, pat, token, bindings } = await withRole(app)
    const group = app.ctx.random.id()
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      const at = app.clock.now().toISOString()
      await t.run({
        text: `insert into authsec.groups (tenant_id, id, name, created_at, updated_at) values ($1, $2, 'g', $3, $3)`,
        params: [t.tenantId, group, at],
        arrays: true,
      })
      await t.run({
        text: 'insert into authsec.user_groups (tenant_id, user_id, group_id, created_at) values ($1, $2, $3, $4)',
        params: [t.tenantId, pat.id, group, at],
        arrays: true,
      })
    })
    await bindings('update authsec.role_bindings set user_id = null, group_id = $3', group)
    expect(await status(app, token, '/p/read')).toBe(200)
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      t.run({ text: 'delete from authsec.user_groups where tenant_id = $1', params: [t.tenantId], arrays: true }),
    )
    expect(await status(app, token, '/p/read')).toBe(403)
  })

  test('of administration requires the session strength that the tenant configures; others count in any session', async () => {
    const app = await start()
    const { company, pat, token } = await withRole(app, ['admin:access', 'things:read'])
    const strong = await app.token(pat, ['pwd', 'otp'])
    const demand = (adminAcr: string) =>
      atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { adminAcr: adminAcr as 'aal2' }, app.clock.now()))
    const all = async (): Promise<readonly number[]> => [
      await status(app, token, '/p/admin'),
      await status(app, token, '/p/read'),
      await status(app, strong, '/p/admin'),
    ]
    expect(await all()).toEqual([200, 200, 200])
    await demand('aal2')
    expect(await all()).toEqual([403, 200, 200])
    await demand('aal3')
    expect(await all()).toEqual([403, 200, 403])
    await demand('an unknown requirement')
    expect(await all()).toEqual([403, 200, 403])
  })

  test('over the platform exists only in the system tenant, whatever a row contains', async () => {
    const app = await start()
    const { company, pat, token } = await withRole(app, ['platform:tenants', 'things:read'])
    expect(await status(app, token, '/p/platform')).toBe(403)
    expect((await me(app, token)).permissions).toEqual(['things:read'])
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      const at = app.clock.now()
      const permissionIds = await ensurePermissions(t, [{ id: app.ctx.random.id(), resource: 'platform', action: 'migrate', description: '' }], at)
      const roleId = await ensureSystemRole(t, { id: app.ctx.random.id(), name: 'admin', description: '', permissionIds, at })
      await bindRole(t, { id: app.ctx.random.id(), roleId, userId: pat.id, at })
    })
    expect((await me(app, token)).permissions.filter((name) => name.startsWith('platform'))).toEqual([])
    const email = `root-${pat.id}@platform.example`
    const { userId } = await ensurePlatformAdministrator(app.ctx, { email, name: 'Root', passwordHash: null, proved: true })
    const root = await app.token({ id: userId, email, password: '', tenantId: SYSTEM_TENANT })
    expect(await status(app, root, '/p/platform')).toBe(200)
  })
})

describe('a request costs', () => {
  test('one statement in one round trip uncached, none cached, and one more per minute for the last-seen time', async () => {
    const counted = countedDb((await testDb()).engine)
    const app = await start(counted.db)
    const token = await app.token((await app.company()).admin)
    const cost = (): Promise<unknown> => counted.during(() => app.request('/p/me', { token }))
    await app.ctx.signingKeys.jwks()
    expect(await cost()).toEqual({ statements: 1, roundTrips: 1 })
    expect(await cost()).toEqual({ statements: 0, roundTrips: 0 })
    app.clock.advance(1)
    expect(await cost()).toEqual({ statements: 1, roundTrips: 1 })
    app.clock.advance(60)
    await app.ctx.signingKeys.jwks()
    expect(await cost()).toEqual({ statements: 2, roundTrips: 2 })
    expect(await cost()).toEqual({ statements: 0, roundTrips: 0 })
  })

  test('no statement for a token that is not ours', async () => {
    const counted = countedDb((await testDb()).engine)
    const app = await start(counted.db)
    const token = await app.token((await app.company()).admin)
    await app.request('/p/me', { token: `${token}x` })
    const forged = `${token.slice(0, -8)}AAAAAAAA`
    await counted.during(() => app.request('/p/me', { token: forged }))
    // The first refusal of a minute is recorded; further ones are counted in memory.
    expect(await counted.during(() => app.request('/p/me', { token: forged }))).toEqual({ statements: 0, roundTrips: 0 })
  })

  test('no signature check for a token that was verified before', async () => {
    const app = await start()
    const other = await start()
    const token = await app.token((await app.company()).admin)
    // A different key with the same id: a signature check with it fails.
    const { publicKey } = (await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])) as CryptoKeyPair
    let swapped = false
    const signingKeys: SigningKeys = {
      ...app.ctx.signingKeys,
      verifier: async (kid) => {
        const verifier = await app.ctx.signingKeys.verifier(kid)
        return verifier && swapped ? { ...verifier, key: publicKey } : verifier
      },
    }
    const principals = createPrincipals({ ...app.ctx, signingKeys })
    expect(principals.tenantOf(token)).toBeUndefined()
    await principals.resolve(token)
    swapped = true
    expect((await principals.resolve(token)).userId).toBeDefined()
    expect(principals.tenantOf(token)).toBeDefined()
    const withoutCache = createPrincipals({ ...other.ctx, signingKeys: { ...signingKeys } })
    await expect(withoutCache.resolve(token)).rejects.toMatchObject({ code: 'invalid_token' })
    await expect(verifySessionToken({ ...app.ctx, signingKeys: { ...signingKeys } }, token)).rejects.toMatchObject({ code: 'invalid_token' })
  })
})
