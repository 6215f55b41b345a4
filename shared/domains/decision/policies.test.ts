// Freshness and cost of policies: counted statements, two instances on one database, and an unavailable database.
import { describe, expect, test } from 'vitest'
import { DatabaseUnavailable, type Engine, openDb, type Statement } from '#db/engine/client'
import { asTenantId, atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { insertAgent } from '#db/store/agents'
import { insertClient } from '#db/store/clients'
import { setUserActive } from '#db/store/people'
import { listServiceAccounts, listUsersOfHolders, readPrincipals } from '#db/store/policy'
import { setTenantStatus } from '#db/store/tenants'
import { updateUser } from '#db/store/users'
import { putBinding, putGroup, putMember, putRole, putServiceAccount, removeBinding } from '#db/testing/access'
import { type Company, startApp, TEST_START, type TestApp } from '#tests/support/app'
import { testDb } from '#tests/support/database'
import { decide } from './decide.ts'
import { createPolicies, type Subject } from './policies.ts'

const QUESTION = { resource: 'invoice', action: 'read' }

/** One instance with its own memory and commit notifications, on the shared database. */
const instance = async (app: TestApp) => {
  const { engine } = await testDb()
  const statements: Statement[] = []
  let before: (() => Promise<void>) | undefined
  const counting: Engine = {
    ...engine,
    one: async (scope, statement) => {
      statements.push(statement)
      await before?.()
      return engine.one(scope, statement)
    },
  }
  const db = openDb(counting)
  const policies = createPolicies({ db, clock: app.clock })
  return {
    db,
    policies,
    statements,
    /** Runs between a statement and the snapshot that it reads. */
    beforeEachStatement: (work: (() => Promise<void>) | undefined): void => {
      before = work
    },
    may: async (company: Company, subject: Subject, question = QUESTION): Promise<boolean> => {
      const { policy, principal } = await policies.load(company.tenantId, [subject])
      return decide(policy, principal(subject), question, {}, app.clock.now().getTime()).allowed
    },
    change: (company: Company, work: (t: TenantTx) => Promise<void>): Promise<void> => atomically(forTenant(db, company.tenantId), work),
  }
}

const setUp = async () => {
  const app = await startApp([])
  const company = await app.company()
  const pat = await app.person(company)
  const [here, there] = [await instance(app), await instance(app)]
  const subject: Subject = { kind: 'user', id: pat.id }
  const at = app.clock.now()
  let bindingId = ''
  await here.change(company, async (t) => {
    bindingId = await putBinding(t, await putRole(t, 'reader', ['invoice:read'], at), { userId: pat.id }, at)
  })
  return { app, company, subject, here, there, bindingId, at }
}

describe('freshness', () => {
  test('a revoked binding denies at once on this instance, and within two seconds on another', async () => {
    const { app, company, subject, here, there, bindingId } = await setUp()
    expect([await here.may(company, subject), await there.may(company, subject)]).toEqual([true, true])
    await here.change(company, async (t) => {
      await removeBinding(t, bindingId)
    })
    expect(await here.may(company, subject)).toBe(false)
    app.clock.advance(1)
    expect(await there.may(company, subject)).toBe(false)
  })

  test('a read that began before a commit is not used by a request after it', async () => {
    const { company, subject, here, there, bindingId } = await setUp()
    // The revocation commits while an earlier read is under way.
    const early = here.policies.load(company.tenantId, [subject])
    await here.change(company, async (t) => {
      await removeBinding(t, bindingId)
    })
    await early
    expect(await here.may(company, subject)).toBe(false)
    expect(await there.may(company, subject)).toBe(false)
  })

  test('a disabled person is denied at once here and a second later elsewhere, without compiling', async () => {
    const { app, company, subject, here, there } = await setUp()
    expect([await here.may(company, subject), await there.may(company, subject)]).toEqual([true, true])
    await here.change(company, async (t) => void (await setUserActive(t, subject.id, false, new Date(TEST_START))))
    here.statements.length = 0
    expect(await here.may(company, subject)).toBe(false)
    app.clock.advance(1)
    there.statements.length = 0
    expect(await there.may(company, subject)).toBe(false)
    expect([here.statements.length, there.statements.length]).toEqual([1, 1])
  })

  test('a new member of a group counts without compiling the tenant again', async () => {
    const { app, company, here, at } = await setUp()
    const member = await app.person(company)
    const subject: Subject = { kind: 'user', id: member.id }
    let groupId = ''
    await here.change(company, async (t) => {
      groupId = await putGroup(t, 'readers', [], at)
      await putBinding(t, await putRole(t, 'group reader', ['invoice:read'], at), { groupId }, at)
    })
    expect(await here.may(company, subject)).toBe(false)
    const { policy } = await here.policies.load(company.tenantId, [subject])
    await here.change(company, (t) => putMember(t, groupId, member.id, at))
    here.statements.length = 0
    expect(await here.may(company, subject)).toBe(true)
    expect(here.statements.length).toBe(1)
    expect((await here.policies.load(company.tenantId, [subject])).policy).toBe(policy)
  })

  test('age is measured at use, and a clock set back does not make an entry younger', async () => {
    const { app, company, subject, here, there } = await setUp()
    await there.may(company, subject)
    await here.change(company, async (t) => void (await setUserActive(t, subject.id, false, new Date(TEST_START))))
    app.clock.advance(-3600)
    expect(await there.may(company, subject)).toBe(false)
  })

  test('the age of a principal is that of its own read, not that of a later read of the policy', async () => {
    const { app, company, subject, there } = await setUp()
    let isFirst = true
    there.beforeEachStatement(async () => {
      if (isFirst) app.clock.advance(2)
      isFirst = false
    })
    expect(await there.may(company, subject)).toBe(true)
    // The principal and the version, then the policy, then the principal again.
    expect(there.statements).toHaveLength(3)
  })

  test('the same holds for several principals', async () => {
    const { app, company, subject, there } = await setUp()
    const other: Subject = { kind: 'user', id: company.admin.id }
    let isFirst = true
    there.beforeEachStatement(async () => {
      if (isFirst) app.clock.advance(2)
      isFirst = false
    })
    await there.policies.load(company.tenantId, [subject, other])
    expect(there.statements).toHaveLength(3)
  })

  test('the age of a policy counts from the start of its read', async () => {
    const { app, company, there } = await setUp()
    there.beforeEachStatement(async () => void (there.statements.at(-1)?.text.includes('role_bindings') && app.clock.advance(1.5)))
    await there.policies.load(company.tenantId, [])
    there.statements.length = 0
    await there.policies.load(company.tenantId, [])
    expect(there.statements).toHaveLength(1)
    there.beforeEachStatement(async () => app.clock.advance(2))
    app.clock.advance(1)
    await expect(there.policies.load(company.tenantId, [])).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('loading inside a transaction is refused, because a cached policy would miss the transaction\u2019s own changes', async () => {
    const { company, subject, here } = await setUp()
    await here.may(company, subject)
    await expect(here.change(company, async () => void (await here.may(company, subject)))).rejects.toThrow('inside a transaction')
  })

  test('a suspended tenant denies everyone, and a deleted person is denied', async () => {
    const { app, company, subject, here, at } = await setUp()
    const other: Subject = { kind: 'user', id: (await app.person(company)).id }
    let robot: Subject = { kind: 'service_account', id: '' }
    await here.change(company, async (t) => {
      robot = { kind: 'service_account', id: await putServiceAccount(t, `robot-${app.ctx.random.id()}`, at) }
      await putBinding(t, await putRole(t, 'robots', ['invoice:read'], at), { serviceAccountId: robot.id }, at)
    })
    const all = async (): Promise<boolean[]> => {
      const many = await readPrincipals(forTenant(here.db, company.tenantId), [subject, robot, other])
      return [await here.may(company, subject), await here.may(company, robot), ...(many?.principals ?? []).map(({ active }) => active)]
    }
    expect(await all()).toEqual([true, true, true, true, true])
    await here.change(company, (t) => setTenantStatus(t, 'suspended', at))
    expect(await all()).toEqual([false, false, false, false, false])
    await here.change(company, (t) => setTenantStatus(t, 'active', at))
    await here.change(company, async (t) => void (await updateUser(t, subject.id, { deletedAt: at })))
    expect((await all()).slice(0, 2)).toEqual([false, true])
    const { principals = [] } = (await readPrincipals(forTenant(here.db, company.tenantId), [subject, other])) ?? {}
    expect(principals.map(({ id, active }) => [id, active]).toSorted()).toEqual(
      [
        [subject.id, false],
        [other.id, true],
      ].toSorted(),
    )
    const listed = await listUsersOfHolders(
      forTenant(here.db, company.tenantId),
      { ids: [subject.id, other.id], groups: [] },
      { after: undefined, limit: 9 },
    )
    expect(listed.map(({ id }) => id)).toEqual([other.id])
  })

  test('a database slower than the two seconds counts as unavailable', async () => {
    const { app, company, subject, there } = await setUp()
    there.beforeEachStatement(async () => app.clock.advance(2))
    await expect(there.may(company, subject)).rejects.toMatchObject({ code: 'unavailable' })
    there.beforeEachStatement(async () => app.clock.advance(1))
    expect(await there.may(company, subject)).toBe(true)
  })

  test('without the database a cached decision lasts at most a second', async () => {
    const { app, company, subject, there } = await setUp()
    expect(await there.may(company, subject)).toBe(true)
    there.beforeEachStatement(() => Promise.reject(new DatabaseUnavailable(new Error('gone'))))
    expect(await there.may(company, subject)).toBe(true)
    app.clock.advance(1)
    await expect(there.may(company, subject)).rejects.toBeInstanceOf(DatabaseUnavailable)
    there.beforeEachStatement(undefined)
    expect(await there.may(company, subject)).toBe(true)
  })
})

describe('cost', () => {
  test('of concurrent loads the first is read alone and the others together', async () => {
    const { app, company, there } = await setUp()
    const subjects = await Promise.all(Array.from({ length: 8 }, async () => ({ kind: 'user' as const, id: (await app.person(company)).id })))
    await there.policies.load(company.tenantId, [])
    app.clock.advance(1)
    there.statements.length = 0
    const found = await Promise.all(subjects.map(async (subject) => (await there.policies.load(company.tenantId, [subject])).principal(subject)?.id))
    expect(found).toEqual(subjects.map(({ id }) => id))
    expect(there.statements.length).toBe(2)
  })

  test('a failed read fails the requests waiting for it, and no later one', async () => {
    const { app, company, subject, there } = await setUp()
    await there.may(company, subject)
    app.clock.advance(1)
    there.beforeEachStatement(() => Promise.reject(new DatabaseUnavailable(new Error('gone'))))
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => there.may(company, subject)))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    there.beforeEachStatement(undefined)
    expect(await there.may(company, subject)).toBe(true)
  })

  test('two statements for a cold tenant, none within a second, one after it, one for a thousand principals', async () => {
    const { app, company, subject, there, at } = await setUp()
    const counts: number[] = []
    const counted = async (work: () => Promise<unknown>): Promise<void> => {
      there.statements.length = 0
      await work()
      counts.push(there.statements.length)
    }
    const thousand = Array.from({ length: 1000 }, () => ({ kind: 'user' as const, id: app.ctx.random.id() }))
    await counted(() => there.may(company, subject))
    await counted(() => there.may(company, subject))
    app.clock.advance(0.999)
    await counted(() => there.may(company, subject))
    app.clock.advance(0.001)
    await counted(() => there.may(company, subject))
    await counted(() => there.policies.load(company.tenantId, thousand))
    await there.change(company, async (t) => void (await putServiceAccount(t, 'robot', at)))
    await counted(() => there.may(company, subject))
    await there.change(company, async (t) => void (await putRole(t, 'another', [], at)))
    await counted(() => there.may(company, subject))
    expect(counts).toEqual([2, 0, 0, 1, 1, 1, 2])
  })

  test('concurrent requests compile a cold tenant once', async () => {
    const { company, subject, there } = await setUp()
    await Promise.all(Array.from({ length: 20 }, () => there.may(company, subject)))
    const compiling = there.statements.filter(({ text }) => text.includes('role_bindings'))
    expect(compiling.length).toBe(1)
  })
})

test('memory is bounded: the least recently used tenant is evicted first', async () => {
  const { app, company, subject, there } = await setUp()
  const others = [await app.company(), await app.company()]
  const { policy } = await there.policies.load(company.tenantId, [])
  const small = createPolicies({ db: there.db, clock: app.clock, maxWeight: policy.weight * 2.5 })
  const cost = async ({ tenantId }: Company): Promise<number> => {
    there.statements.length = 0
    await small.load(tenantId, [subject])
    return there.statements.length
  }
  const [first, second] = others
  if (first === undefined || second === undefined) throw new Error('two companies were made')
  expect([await cost(company), await cost(first), await cost(company), await cost(second)]).toEqual([2, 2, 0, 2])
  expect([await cost(company), await cost(first)]).toEqual([0, 2])
})

test('a service account is not the person with the same id', async () => {
  const { app, company, here, at } = await setUp()
  let robot = ''
  await here.change(company, async (t) => {
    robot = await putServiceAccount(t, `robot-${app.ctx.random.id()}`, at)
    await putBinding(t, await putRole(t, 'robots', ['invoice:read'], at), { serviceAccountId: robot }, at)
  })
  expect(await here.may(company, { kind: 'service_account', id: robot })).toBe(true)
  expect(await here.may(company, { kind: 'user', id: robot })).toBe(false)
})

test('an agent with a disabled owner is denied and appears in no search', async () => {
  const { app, company, here, at } = await setUp()
  const owner = await app.person(company)
  let robot = ''
  await here.change(company, async (t) => {
    robot = await putServiceAccount(t, `agent-${app.ctx.random.id()}`, at)
    await putBinding(t, await putRole(t, 'agents', ['invoice:read'], at), { serviceAccountId: robot }, at)
    const id = app.ctx.random.id()
    await insertClient(t, { id, name: 'agent', serviceAccountId: robot, validFrom: at, createdAt: at, updatedAt: at })
    await insertAgent(t, { id, ownerId: owner.id, agentType: 'assistant', createdAt: at, updatedAt: at })
  })
  const subject: Subject = { kind: 'service_account', id: robot }
  const found = async (): Promise<boolean[]> => {
    const t = forTenant(here.db, company.tenantId)
    const listed = await listServiceAccounts(t, { ids: [robot], groups: [] }, { after: undefined, limit: 10 })
    const many = await readPrincipals(t, [subject, { kind: 'user', id: owner.id }])
    return [await here.may(company, subject), listed.length === 1, many?.principals.find(({ id }) => id === robot)?.active === true]
  }
  expect(await found()).toEqual([true, true, true])
  await here.change(company, async (t) => void (await setUserActive(t, owner.id, false, new Date(TEST_START))))
  expect(await found()).toEqual([false, false, false])
})

test('another tenant\u2019s bindings do not count', async () => {
  const { app, subject, here, there } = await setUp()
  const other = await app.company('globex')
  expect(await here.may(other, subject)).toBe(false)
  const { policy } = await there.policies.load(other.tenantId, [subject])
  expect(policy.permissions.get('invoice')).toBeUndefined()
  const unknown = { ...other, tenantId: asTenantId(app.ctx.random.id()) }
  await expect(here.may(unknown, subject)).rejects.toMatchObject({ code: 'not_found' })
})
