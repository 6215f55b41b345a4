// Seeds of trust domains, registration entries and SVIDs, for tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertAttestor } from '#db/store/attestors'
import { putFederatedBundle } from '#db/store/federated-bundles'
import { insertJoinToken } from '#db/store/join-tokens'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { ensureTrustDomain } from '#shared/domains/spiffe/signer'
import { byWorkload } from '#shared/platform/audit/audit-log'
import { attestorOf, JKT } from '#tests/support/attestation'
import { contextOf, idIn, newEntry } from '#tests/support/workloads'
import type { Make } from '../../tests/seeds/seeds.ts'

const MANAGING = ['admin:access', 'spire:manage'] as const

const published: Make = async (app, { tenantId }) => {
  await ensureTrustDomain(app.ctx, tenantId)
  return { path: { tenant: tenantId }, isPublic: true }
}
const key: Make = async (app, company) => {
  const { rows } = await ensureTrustDomain(app.ctx, company.tenantId)
  return { path: { kid: rows[0]?.kid ?? '' }, owner: await app.person(company, MANAGING) }
}
const entry =
  (parameter: string, body?: Readonly<Record<string, unknown>>, headers?: Readonly<Record<string, string>>): Make =>
  async (app, company) => {
    const { id } = await newEntry(app, company, `seed/${app.ctx.random.id()}`)
    const owner = await app.person(company, MANAGING)
    return { path: { [parameter]: id }, owner, ...(body === undefined ? {} : { body }), ...(headers === undefined ? {} : { headers }) }
  }
const replaced: Make = async (app, company) => ({
  ...(await entry('id')(app, company)),
  body: { spiffe_id: idIn(company, `seed/${app.ctx.random.id()}`), parent_id: `spiffe://${company.tenantId}`, selectors: { 'k8s:ns': 'prod' } },
})
const workload =
  (body?: Readonly<Record<string, unknown>>): Make =>
  async (app, company) => {
    const { id } = await newEntry(app, company, `seed/${app.ctx.random.id()}`, { selectors: ['k8s:pod-label:owner:team'] })
    return { path: { id }, owner: await app.person(company, MANAGING), ...(body === undefined ? {} : { body }) }
  }
const svid: Make = async (app, company) => {
  const made = await newEntry(app, company, `seed/${app.ctx.random.id()}`)
  const { id } = await issueJwtSvid(contextOf(app), made, { audience: ['x'], actor: byWorkload(made.id) })
  return { path: { svid_id: id }, owner: await app.person(company, MANAGING) }
}
const federation: Make = async (app, company) => {
  const [domain, at] = [`partner-${app.ctx.random.id()}.example`, app.clock.now()]
  const row = { trustDomain: domain, endpoint: 'https://partner.example.com/bundle', profile: 'https_web', createdAt: at, updatedAt: at } as const
  await atomically(forTenant(app.db, company.tenantId), (t) => putFederatedBundle(t, row))
  return { path: { domain }, owner: await app.person(company, MANAGING) }
}
const ANY_VERSION = { 'if-match': '*' }

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
  // The proof of a key is a header of its own: without it nothing is looked up.
  'spiffe.attest': async (app, company) => ({
    path: { tenant: company.tenantId },
    body: { attestor_id: app.ctx.random.id(), evidence: 'e30.e30.e30', jwt: { audience: ['a'] } },
    isPublic: true,
    answers: 400,
  }),
  'spiffe.bundle': published,
  'spiffe.jwks': published,
  'spiffe.discovery': published,
  'spiffe.crl': published,
  'spiffe.revokeKey': key,
  'spiffe.readEntry': entry('entry_id'),
  'spiffe.changeEntry': entry('entry_id', { x509_seconds: 600 }, ANY_VERSION),
  'spiffe.deleteEntry': entry('entry_id'),
  'spiffe.revokeSvid': svid,
  'spiffe.readFederation': federation,
  'spiffe.removeFederation': federation,
  // The caller chooses the name, and the bundle cannot be fetched: the network is off.
  'spiffe.configureFederation': async (app, company) => ({
    ...(await federation(app, company)),
    body: { endpoint: 'https://partner.example.com/bundle' },
    isPublic: true,
    answers: 400,
  }),
  'spiresvc.readEntry': entry('id'),
  'spiresvc.replaceEntry': replaced,
  'spiresvc.deleteEntry': entry('id'),
  'spiresvc.provisionTenant': async (app, company) => ({
    path: { tenant_id: company.tenantId },
    owner: await app.person(company, MANAGING),
    body: {},
  }),
  'spiresvc.bundle': published,
  'spire.changeWorkload': workload({ owner: 'another' }),
  'spire.deleteWorkload': workload(),
  'attestors.read': attestor(),
  'attestors.change': attestor({ name: 'Renamed' }, { 'if-match': '*' }),
  'attestors.delete': attestor(),
  'attestors.try': attestor({ evidence: 'e30.e30.e30', jkt: JKT }),
  'joinTokens.delete': joinToken,
}
