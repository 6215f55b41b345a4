// Keys change under load: no one is signed out and nothing becomes unreadable, whichever mixture of instances runs.
import { describe, expect, test } from 'vitest'
import type { Db } from '#db/engine/client'
import { acrossTenants, directory, forTenant } from '#db/engine/tenant'
import { findAuditEvents } from '#db/store/audit-events'
import { listSigningKeys } from '#db/store/signing-keys'
import { presentEvents } from '#shared/domains/audit/presentation'
import { rewrapKeys, rotateSigningKeys } from '#shared/platform/tokens/key-maintenance'
import { accountRoutes } from '../functions/account/routes.ts'
import { startApp } from './support/app.ts'
import { ownDb } from './support/database.ts'

const key = (fill: number): string => Buffer.alloc(32, fill).toString('base64')
const START = '2026-03-01T12:00:00Z'
const instance = (db: Db, masterKeys: string, start = START) => startApp(accountRoutes, { db, env: { MASTER_KEYS: masterKeys }, start })
type Instance = Awaited<ReturnType<typeof instance>>

const CALLERS = 6
/** People sign in at one instance and are served by every other, until `over`. Returns the errors and the number of requests. */
const underLoad = async (instances: readonly Instance[], work: () => Promise<void>): Promise<{ readonly wrong: string[]; readonly done: number }> => {
  const wrong: string[] = []
  let done = 0
  let over = false
  const caller = async (at: number): Promise<void> => {
    for (let round = 0; !over || round < 2; round++) {
      const [minting, serving] = [instances[(at + round) % instances.length], instances[(at + round + 1) % instances.length]]
      if (minting === undefined || serving === undefined) return
      try {
        const company = await minting.company('rotating')
        const token = await minting.token(company.admin)
        const { status } = await serving.request('/account/sessions', { token })
        const shown = await presentEvents(serving.ctx, forTenant(serving.db, company.tenantId), await serving.events(company.tenantId))
        if (status !== 200) wrong.push(`a session is ${status}`)
        if (shown.length === 0 || shown.some(({ damaged, erased }) => damaged || erased)) wrong.push('an event does not open')
        done += 1
      } catch (error) {
        wrong.push(error instanceof Error ? error.message : String(error))
      }
    }
  }
  const callers = Array.from({ length: CALLERS }, (_, at) => caller(at))
  try {
    await work()
  } finally {
    over = true
    await Promise.all(callers)
  }
  return { wrong, done }
}

describe('the master key', () => {
  test('changes in three deployments, each with old and new instances, until the old key is removed', async () => {
    const db = await ownDb()
    const [old, both, turned, fresh] = [`m1:${key(1)}`, `m1:${key(1)},m2:${key(2)}`, `m2:${key(2)},m1:${key(1)}`, `m2:${key(2)}`]
    const first = await instance(db, old)
    const kept = await first.company('kept')
    const token = await first.token(kept.admin)
    let done = 0
    for (const [before, after] of [
      [old, both],
      [both, turned],
    ] as const) {
      const result = await underLoad([await instance(db, before), await instance(db, after)], async () => undefined)
      expect(result.wrong).toEqual([])
      done += result.done
    }
    const turning = await instance(db, turned)
    const rewrapping = await underLoad([turning, await instance(db, turned)], async () => {
      for (let tried = 0; tried < 5; tried++) await rewrapKeys(turning.ctx)
    })
    expect(rewrapping.wrong).toEqual([])
    expect(await rewrapKeys(turning.ctx)).toEqual({ dataKeys: 0, signingKeys: 0 })
    const last = await underLoad([await instance(db, turned), await instance(db, fresh)], async () => undefined)
    expect(last.wrong).toEqual([])
    expect(done + rewrapping.done + last.done).toBeGreaterThan(CALLERS * 4)

    const end = await instance(db, fresh)
    expect((await end.request('/account/sessions', { token })).status).toBe(200)
    const shown = await presentEvents(end.ctx, forTenant(db, kept.tenantId), await findAuditEvents(forTenant(db, kept.tenantId), { limit: 100 }))
    expect(shown.some(({ address }) => address !== null)).toBe(true)
    expect(shown.filter(({ damaged, erased }) => damaged || erased)).toEqual([])
    const under = await acrossTenants(db).run({ text: 'select distinct master_key_id from authsec.data_keys', params: [], arrays: false })
    expect(under).toEqual([{ master_key_id: 'm2' }])
  })

  test('swapped in one step, old instances cannot read what new ones write: the order matters', async () => {
    const db = await ownDb()
    const [before, after] = [await instance(db, `m1:${key(1)}`), await instance(db, `m2:${key(2)},m1:${key(1)}`)]
    const { wrong } = await underLoad([before, after], async () => undefined)
    expect(wrong.length).toBeGreaterThan(0)
  })
})

describe('signing keys', () => {
  test('five weeks of rotation: everyone who signed in within the last seven hours stays signed in, at every instance', async () => {
    const db = await ownDb()
    const instances = [await instance(db, `m1:${key(1)}`), await instance(db, `m1:${key(1)}`)]
    const [one, two] = instances
    if (one === undefined || two === undefined) throw new Error('two instances')
    const company = await one.company('signed')
    let recent: string[] = []
    const kids = new Set<string>()
    // Beyond that, an idle session ends by itself.
    const STEP_SECONDS = 7 * 3600
    for (let step = 0; step < 120; step++) {
      const minted = await Promise.all([one.token(company.admin), rotateSigningKeys(two.ctx).then(() => two.token(company.admin))])
      const answers = await Promise.all(
        [...recent, ...minted].flatMap((token) => instances.map((app) => app.request('/account/sessions', { token }))),
      )
      expect(
        answers.map(({ status }) => status).filter((status) => status !== 200),
        `step ${step}`,
      ).toEqual([])
      for (const { kid, status } of await listSigningKeys(directory(db))) if (status === 'current') kids.add(kid)
      for (const app of instances) app.clock.advance(STEP_SECONDS)
      recent = minted
    }
    expect(kids.size).toBeGreaterThan(2)
  })

  test('a disclosed key is refused everywhere within two seconds, under load, and people sign in again', async () => {
    const db = await ownDb()
    const instances = [await instance(db, `m1:${key(1)}`), await instance(db, `m1:${key(1)}`)]
    const [one, two] = instances
    if (one === undefined || two === undefined) throw new Error('two instances')
    const company = await one.company('revoked')
    const token = await one.token(company.admin)
    expect((await two.request('/account/sessions', { token })).status).toBe(200)
    const current = (await listSigningKeys(directory(db))).filter(({ status, alg }) => status === 'current' && alg === 'ES256')
    for (const { kid } of current) await one.ctx.signingKeys.revoke(kid)
    expect((await one.request('/account/sessions', { token })).status).toBe(401)
    for (const app of instances) app.clock.advance(2.1)
    expect((await two.request('/account/sessions', { token })).status).toBe(401)
    const again = await two.token(company.admin)
    for (const app of instances) expect((await app.request('/account/sessions', { token: again })).status).toBe(200)
  })
})
