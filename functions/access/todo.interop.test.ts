// The "Todo" interoperability scenario of the AuthZEN working group, as far as this model expresses it: five people, four roles, five actions. The scenario
// sends the owner of a todo with the question; here ownership is a binding scoped to the todo, and people have our ids instead of e-mail addresses.
import { beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { putBinding, putRole } from '#db/testing/access'
import { problem } from '#shared/platform/http/problem'
import { type Person, startApp, type TestApp } from '#tests/support/app'
import { type Backend, newBackend } from '#tests/support/backend'
import { accessRoutes } from './routes.ts'

const PEOPLE = ['rick', 'morty', 'summer', 'beth', 'jerry'] as const
type Name = (typeof PEOPLE)[number]
const ROLES: Readonly<Record<Name, readonly string[]>> = {
  rick: ['admin', 'evil_genius'],
  morty: ['editor'],
  summer: ['editor'],
  beth: ['viewer'],
  jerry: ['viewer'],
}
const VIEWER = ['user:can_read_user', 'todo:can_read_todos']
const EDITOR = [...VIEWER, 'todo:can_create_todo']
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  viewer: VIEWER,
  editor: EDITOR,
  admin: [...EDITOR, 'todo:can_delete_todo'],
  evil_genius: [...EDITOR, 'todo:can_update_todo'],
}
const OWN = ['todo:can_update_todo', 'todo:can_delete_todo']
const TODO_OF = Object.fromEntries(PEOPLE.map((name, n) => [name, `7240d0db-8ff0-41ec-98b2-34a096273b9${n}`])) as Readonly<Record<Name, string>>
const MAY_EDIT_OWN: readonly Name[] = ['rick', 'morty', 'summer']

let app: TestApp
let backend: Backend
const people = new Map<Name, Person>()

beforeAll(async () => {
  app = await startApp(accessRoutes, { render: problem })
  const company = await app.company('citadel')
  backend = await newBackend(app, company, ['policy:check'])
  for (const name of PEOPLE) people.set(name, await app.person(company))
  const at = app.clock.now()
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const roleIds = new Map<string, string>()
    for (const [role, permissions] of Object.entries(PERMISSIONS)) roleIds.set(role, await putRole(t, `todo ${role}`, permissions, at))
    const owner = await putRole(t, 'todo owner', OWN, at)
    for (const [name, person] of people) {
      for (const role of ROLES[name]) await putBinding(t, roleIds.get(role) ?? '', { userId: person.id }, at)
      // Viewers may own a todo without being able to edit it: only editors get the owner binding.
      if (MAY_EDIT_OWN.includes(name)) await putBinding(t, owner, { userId: person.id }, at, { scope: ['todo', TODO_OF[name]] })
    }
  })
})

const subject = (name: Name) => ({ type: 'user', id: people.get(name)?.id ?? '', identity: 'CiRmZDA2MTRk' })
const todo = (owner: Name) => ({ type: 'todo', id: TODO_OF[owner], ownerID: owner })
type Row = readonly [name: Name, action: string, resource: object, expected: boolean]

/** The scenario's table: person, action, resource and expected decision. */
const table = (): readonly Row[] =>
  PEOPLE.flatMap((name): Row[] => {
    const isEditor = MAY_EDIT_OWN.includes(name)
    const isRick = name === 'rick'
    const other: Name = isRick ? 'morty' : 'rick'
    return [
      [name, 'can_read_user', { type: 'user', id: 'beth@the-smiths.com', userID: 'beth@the-smiths.com' }, true],
      [name, 'can_read_user', { type: 'user', id: people.get(name)?.id ?? '' }, true],
      [name, 'can_read_todos', { type: 'todo', id: 'todo-1' }, true],
      [name, 'can_create_todo', { type: 'todo', id: 'todo-1' }, isEditor],
      [name, 'can_update_todo', todo(other), isRick],
      [name, 'can_update_todo', todo(name), isEditor],
      [name, 'can_delete_todo', todo(other), isRick],
      [name, 'can_delete_todo', todo(name), isEditor],
    ]
  })

const post = async (path: string, body: unknown): Promise<unknown> => {
  const response = await app.request(path, { body, headers: { authorization: backend.authorization } })
  expect(response.status).toBe(200)
  return response.json()
}

test('each of the forty questions', async () => {
  for (const [name, action, resource, expected] of table()) {
    const answer = await post('/access/v1/evaluation', { subject: subject(name), action: { name: action }, resource })
    expect(answer, `${name} ${action} ${JSON.stringify(resource)}`).toMatchObject({ decision: expected })
  }
})

test('the same questions in one batch per person', async () => {
  for (const name of PEOPLE) {
    const rows = table().filter(([person]) => person === name)
    const evaluations = rows.map(([, action, resource]) => ({ action: { name: action }, resource }))
    expect(await post('/access/v1/evaluations', { subject: subject(name), evaluations })).toMatchObject({
      evaluations: rows.map(([, , , expected]) => ({ decision: expected })),
    })
  }
})

test('searches: who may delete Morty\u2019s todo, which todos Summer may update, what Beth may do', async () => {
  const ids = (names: readonly Name[]): string[] => names.map((name) => people.get(name)?.id ?? '').sort()
  const found = async (what: string, body: object): Promise<string[]> =>
    ((await post(`/access/v1/search/${what}`, body)) as { results: { id?: string; name?: string }[] }).results.map(({ id, name }) => id ?? name ?? '')
  expect(await found('subject', { subject: { type: 'user' }, action: { name: 'can_delete_todo' }, resource: todo('morty') })).toEqual(
    ids(['rick', 'morty']),
  )
  expect(await found('resource', { subject: subject('summer'), action: { name: 'can_update_todo' }, resource: { type: 'todo' } })).toEqual([
    TODO_OF.summer,
  ])
  expect(await found('action', { subject: subject('beth'), resource: todo('beth') })).toEqual(['can_read_todos'])
})
