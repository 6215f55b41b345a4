// How fresh, at what price: statements counted, two instances on one database, and a database that is away.
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

/** One instance: its own memory and its own news of commits, on the database that all share. */
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
    /** What happens between sending a statement and the snapshot that it reads. */
    meanwhile: (work: (() => Promise<void>) | undefined): void => {
      before = work
    },
    may: async (company: Company, subject: Subject, question = QUESTION): Promise<boolean> => {
      const { policy, principal } = await policies.load(company.tenantId, [subject])
      return decide(policy, principal(subject), question, {}, app.clock.now().getTime()).allowed
    },
    change: (company: Company, work: (t: TenantTx) => Promise<void>): Promise<void> => atomically(forTenant(db, company.tenantId), work),
  }
}

const story = async () => {
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
  test('a revoked binding stops the next decision on this instance, and within two seconds on another', async () => {
    const { app, company, subject, here, there, bindingId } = await story()
    expect([await here.may(company, subject), await there.may(company, subject)]).toEqual([true, true])
    await here.change(company, async (t) => {
      await removeBinding(t, bindingId)
    })
    expect(await here.may(company, subject)).toBe(false)
    app.clock.advance(1)
    expect(await there.may(company, subject)).toBe(false)
  })

  test('what a reader learned before the commit is not used by a request after it', async () => {
    const { company, subject, here, there, bindingId } = await story()
    // The revocation commits while a first reader's statement is on its way back.
    const early = here.policies.load(company.tenantId, [subject])
    await here.change(company, async (t) => {
      await removeBinding(t, bindingId)
    })
    await early
    expect(await here.may(company, subject)).toBe(false)
    expect(await there.may(company, subject)).toBe(false)
  })

  test('a person who is switched off is denied at once here and a second later elsewhere, without compiling anything', async () => {
    const { app, company, subject, here, there } = await story()
    expect([await here.may(company, subject), await there.may(company, subject)]).toEqual([true, true])
    await here.change(company, async (t) => void (await setUserActive(t, subject.id, false, new Date(TEST_START))))
    here.statements.length = 0
    expect(await here.may(company, subject)).toBe(false)
    app.clock.advance(1)
    there.statements.length = 0
    expect(await there.may(company, subject)).toBe(false)
    expect([here.statements.length, there.statements.length]).toEqual([1, 1])
  })

  test('a new member of a group is seen without compiling the company again', async () => {
    const { app, company, here, at } = await story()
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

  test('age is judged at use, and a clock that was set back makes nothing younger', async () => {
    const { app, company, subject, here, there } = await story()
    await there.may(company, subject)
    await here.change(company, async (t) => void (await setUserActive(t, subject.id, false, new Date(TEST_START))))
    app.clock.advance(-3600)
    expect(await there.may(company, subject)).toBe(false)
  })

  test('what is known of a principal is as old as its own reading, however new the policy that was read after it', async () => {
    const { app, company, subject, there } = await story()
    let isFirst = true
    there.meanwhile(async () => {
      if (isFirst) app.clock.advance(2)
      isFirst = false
    })
    expect(await there.may(company, subject)).toBe(true)
    // The principal and the version, the policy; and the principal once more.
    expect(there.statements).toHaveLength(3)
  })

  test('so it is where several are asked about', async () => {
    const { app, company, subject, there } = await story()
    const other: Subject = { kind: 'user', id: company.admin.id }
    let isFirst = true
    there.meanwhile(async () => {
      if (isFirst) app.clock.advance(2)
      isFirst = false
    })
    await there.policies.load(company.tenantId, [subject, other])
    expect(there.statements).toHaveLength(3)
  })

  test('a policy is as old as the beginning of its own reading', async () => {
    const { app, company, there } = await story()
    there.meanwhile(async () => void (there.statements.at(-1)?.text.includes('role_bindings') && app.clock.advance(1.5)))
    await there.policies.load(company.tenantId, [])
    there.statements.length = 0
    await there.policies.load(company.tenantId, [])
    expect(there.statements).toHaveLength(1)
    there.meanwhile(async () => app.clock.advance(2))
    app.clock.advance(1)
    await expect(there.policies.load(company.tenantId, [])).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('nobody asks inside a transaction, not even for what is remembered: it would not see the changes of its own', async () => {
    const { company, subject, here } = await story()
    await here.may(company, subject)
    await expect(here.change(company, async () => void (await here.may(company, subject)))).rejects.toThrow('inside a transaction')
  })

  test('in a company that is suspended, and of whoever is deleted, nobody may anything', async () => {
    const { app, company, subject, here, at } = await story()
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

  test('a database that takes longer than the promise is as good as away', async () => {
    const { app, company, subject, there } = await story()
    there.meanwhile(async () => app.clock.advance(2))
    await expect(there.may(company, subject)).rejects.toMatchObject({ code: 'unavailable' })
    there.meanwhile(async () => app.clock.advance(1))
    expect(await there.may(company, subject)).toBe(true)
  })

  test('with the database away there is no decision from memory beyond a second', async () => {
    const { app, company, subject, there } = await story()
    expect(await there.may(company, subject)).toBe(true)
    there.meanwhile(() => Promise.reject(new DatabaseUnavailable(new Error('gone'))))
    expect(await there.may(company, subject)).toBe(true)
    app.clock.advance(1)
    await expect(there.may(company, subject)).rejects.toBeInstanceOf(DatabaseUnavailable)
    there.meanwhile(undefined)
    expect(await there.may(company, subject)).toBe(true)
  })
})

describe('price', () => {
  test('of many who ask at once about many, the first is read alone and the others together', async () => {
    const { app, company, there } = await story()
    const subjects = await Promise.all(Array.from({ length: 8 }, async () => ({ kind: 'user' as const, id: (await app.person(company)).id })))
    await there.policies.load(company.tenantId, [])
    app.clock.advance(1)
    there.statements.length = 0
    const found = await Promise.all(subjects.map(async (subject) => (await there.policies.load(company.tenantId, [subject])).principal(subject)?.id))
    expect(found).toEqual(subjects.map(({ id }) => id))
    expect(there.statements.length).toBe(2)
  })

  test('a read that fails, fails those who waited for it and nobody after', async () => {
    const { app, company, subject, there } = await story()
    await there.may(company, subject)
    app.clock.advance(1)
    there.meanwhile(() => Promise.reject(new DatabaseUnavailable(new Error('gone'))))
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => there.may(company, subject)))
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    there.meanwhile(undefined)
    expect(await there.may(company, subject)).toBe(true)
  })

  test('two statements for a cold company, one for whatever is a second old, none in between; one for a thousand principals', async () => {
    const { app, company, subject, there, at } = await story()
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

  test('many who come at once to a cold company compile it once', async () => {
    const { company, subject, there } = await story()
    await Promise.all(Array.from({ length: 20 }, () => there.may(company, subject)))
    const compiling = there.statements.filter(({ text }) => text.includes('role_bindings'))
    expect(compiling.length).toBe(1)
  })
})

test('memory is bounded: the company used longest ago goes first', async () => {
  const { app, company, subject, there } = await story()
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

test('a service account is a principal, and not a person of the same id', async () => {
  const { app, company, here, at } = await story()
  let robot = ''
  await here.change(company, async (t) => {
    robot = await putServiceAccount(t, `robot-${app.ctx.random.id()}`, at)
    await putBinding(t, await putRole(t, 'robots', ['invoice:read'], at), { serviceAccountId: robot }, at)
  })
  expect(await here.may(company, { kind: 'service_account', id: robot })).toBe(true)
  expect(await here.may(company, { kind: 'user', id: robot })).toBe(false)
})

test('an agent whose owner was stopped may nothing, and is found by no search', async () => {
  const { app, company, here, at } = await story()
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

test('another tenant sees nothing of it', async () => {
  const { app, subject, here, there } = await story()
  const other = await app.company('globex')
  expect(await here.may(other, subject)).toBe(false)
  const { policy } = await there.policies.load(other.tenantId, [subject])
  expect(policy.permissions.get('invoice')).toBeUndefined()
  const nobody = { ...other, tenantId: asTenantId(app.ctx.random.id()) }
  await expect(here.may(nobody, subject)).rejects.toMatchObject({ code: 'not_found' })
})
