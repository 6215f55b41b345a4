// Seeds of attestors and join tokens, for tests/seeds/seeds.ts.
import { atomically, forTenant } from '#db/engine/tenant'
import { insertAttestor } from '#db/store/attestors'
import { insertJoinToken } from '#db/store/join-tokens'
import { attestorOf, JKT } from '#tests/support/attestation'
import type { Make } from '../../tests/seeds/seeds.ts'

const attestor =
  (body?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Make =>
  async (app, company) => {
    const owner = await app.person(company, ['spire:manage'])
    const row = attestorOf(app, company.tenantId, 'github_actions', { rules: { repository_id: '74' } })
    await atomically(forTenant(app.db, company.tenantId), (t) => insertAttestor(t, row))
    return { path: { id: row.id }, owner, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  }

const joinToken: Make = async (app, company) => {
  const owner = await app.person(company, ['spire:manage'])
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const by = attestorOf(app, company.tenantId, 'join_token')
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await insertAttestor(t, by)
    await insertJoinToken(t, { id, hash: app.ctx.random.bytes(32), attestorId: by.id, createdBy: owner.id, createdAt: at, expiresAt: at })
  })
  return { path: { id }, owner }
}

export const SPIFFE_SEEDS: Readonly<Record<string, Make>> = {
  'attestors.read': attestor(),
  'attestors.change': attestor({ name: 'Renamed' }, { 'if-match': '*' }),
  'attestors.delete': attestor(),
  'attestors.try': attestor({ evidence: 'e30.e30.e30', jkt: JKT }),
  'joinTokens.delete': joinToken,
}
