// The version by which compiled policies are cached rises with every change of what they are compiled from, whichever statement makes the change.
import { expect, test } from 'vitest'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { putBinding, putRole, putServiceAccount } from '#db/testing/access'
import { startApp, TEST_START } from '#tests/support/app'
import { POLICY, readPolicy } from './policy.ts'

const AT = new Date(TEST_START)

const world = async () => {
  const { db, company } = await startApp([])
  const t = forTenant(db, (await company()).tenantId)
  const other = forTenant(db, (await company()).tenantId)
  const versions = async (): Promise<(number | undefined)[]> => [(await readPolicy(t))?.version, (await readPolicy(other))?.version]
  const raises = async (change: (t: TenantTx) => Promise<unknown>): Promise<boolean> => {
    const [before = 0, others] = await versions()
    await atomically(t, change)
    const [after = 0, othersAfter] = await versions()
    expect(othersAfter).toBe(others)
    return after > before
  }
  return { t, raises }
}

const run = (text: string) => (t: TenantTx) => t.run({ text: text.replaceAll(':tenant', `'${t.tenantId}'`), params: [], arrays: true })

test('each table that a policy is compiled from raises the version of its own tenant, by insert, update and delete', async () => {
  const { t, raises } = await world()
  const tables = [...new Set([...POLICY.matchAll(/authsec\.(\w+)/g)].map(([, name]) => name))].filter((name) => name !== 'tenants')
  expect(tables.length).toBeGreaterThan(3)
  await atomically(t, async (tx) => {
    await putBinding(tx, await putRole(tx, 'reader', ['invoice:read'], AT), { serviceAccountId: await putServiceAccount(tx, 'robot', AT) }, AT)
  })
  for (const table of tables) {
    const all = `from authsec.${table} where tenant_id = :tenant`
    const changes = [
      `update authsec.${table} set tenant_id = tenant_id where tenant_id = :tenant`,
      `with gone as (delete ${all} returning *) select count(*) from gone`,
    ]
    const rolledBack = new Error()
    for (const change of [...changes, 'insert']) {
      const attempt = raises(async (tx) => {
        const before = await readPolicy(tx)
        if (change === 'insert') {
          await run(`create temporary table kept on commit drop as select * ${all}`)(tx)
          await run(`delete ${all}`)(tx)
          const deleted = await readPolicy(tx)
          await run(`insert into authsec.${table} select * from kept`)(tx)
          expect((await readPolicy(tx))?.version).toBeGreaterThan(deleted?.version ?? Number.POSITIVE_INFINITY)
        } else await run(change)(tx)
        expect((await readPolicy(tx))?.version, `${table}: ${change}`).toBeGreaterThan(before?.version ?? Number.POSITIVE_INFINITY)
        throw rolledBack
      })
      await expect(attempt).rejects.toBe(rolledBack)
    }
  }
})

test('bindings that go with their holder raise it; a statement that changes no row does not', async () => {
  const { raises } = await world()
  let holder = ''
  expect(
    await raises(async (tx) => {
      holder = await putServiceAccount(tx, 'robot', AT)
      await putBinding(tx, await putRole(tx, 'reader', ['invoice:read'], AT), { serviceAccountId: holder }, AT)
    }),
  ).toBe(true)
  expect(await raises(run(`delete from authsec.service_accounts where tenant_id = :tenant and id = '${holder}'`))).toBe(true)
  expect(await raises(run(`delete from authsec.role_bindings where tenant_id = :tenant and expires_at < '2000-01-01'`))).toBe(false)
})
