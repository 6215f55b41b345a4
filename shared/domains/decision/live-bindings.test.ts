// A live binding is defined in SQL (db/store/live-bindings.ts) and in the decision (live.ts): both give the same answer for every kind of binding.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { holdsSystemRole } from '#db/store/administrators'
import { findLiveRoleNames } from '#db/store/bindings'
import { findLivePermissions } from '#db/store/users'
import { putBinding, putGroup, putRole, putServiceAccount } from '#db/testing/access'
import { startApp } from '#tests/support/app'
import { decide } from './decide.ts'
import { hasRole } from './roles.ts'

const SCOPE = '0198b2c4-5d6e-7f80-91a2-b3c4d5e6f708'

test('SQL and the decision agree on which bindings count for the whole tenant without a context', async () => {
  const app = await startApp([])
  const company = await app.company()
  const [pat, other] = [await app.person(company), await app.person(company)]
  const now = app.clock.now()
  const t = forTenant(app.db, company.tenantId)
  const names: string[] = []
  await atomically(t, async (tx) => {
    const holders = {
      user: { userId: pat.id },
      group: { groupId: await putGroup(tx, 'readers', [pat.id], now) },
      otherGroup: { groupId: await putGroup(tx, 'others', [other.id], now) },
      account: { serviceAccountId: await putServiceAccount(tx, 'robot', now) },
    }
    const expiries = { never: undefined, now, future: new Date(now.getTime() + 1) }
    const conditions = { none: undefined, empty: {}, mfa: { mfa: true }, unusable: { unknown: 1 } }
    for (const [holder, held] of Object.entries(holders))
      for (const [expiry, expiresAt] of Object.entries(expiries))
        for (const [condition, value] of Object.entries(conditions))
          for (const scope of [undefined, ['project', SCOPE] as const]) {
            const name = [holder, expiry, condition, scope === undefined ? 'wide' : 'scoped'].join('-')
            names.push(name)
            const roleId = await putRole(tx, name, [`${name}:read`], now)
            await putBinding(tx, roleId, held, now, {
              ...(scope === undefined ? {} : { scope }),
              ...(value === undefined ? {} : { conditions: value }),
              ...(expiresAt === undefined ? {} : { expiresAt }),
            })
            await tx.run({
              text: 'update authsec.roles set is_system = true where tenant_id = $1 and id = $2',
              params: [tx.tenantId, roleId],
              arrays: true,
            })
          }
  })
  const { policy, principal } = await app.ctx.policies.load(company.tenantId, [{ kind: 'user', id: pat.id }])
  const subject = principal({ kind: 'user', id: pat.id })
  const decided = names.filter((name) => decide(policy, subject, { resource: name, action: 'read' }, {}, now.getTime()).allowed).toSorted()
  const inRoles = names.filter((role) => hasRole(policy, subject, { role }, {}, now.getTime())).toSorted()
  const live = ['group', 'user'].flatMap((holder) =>
    ['future', 'never'].flatMap((expiry) => ['empty', 'none'].map((c) => `${holder}-${expiry}-${c}-wide`)),
  )
  expect(decided).toEqual(live.toSorted())
  expect(inRoles).toEqual(decided)
  expect((await findLivePermissions(t, pat.id, now)).filter((name) => name.includes('-')).toSorted()).toEqual(decided.map((name) => `${name}:read`))
  expect((await findLiveRoleNames(t, pat.id, now)).filter((name) => names.includes(name)).toSorted()).toEqual(decided)
  for (const name of names.filter((one) => one.startsWith('group-'))) expect(await holdsSystemRole(t, pat.id, name, now)).toBe(decided.includes(name))
})
