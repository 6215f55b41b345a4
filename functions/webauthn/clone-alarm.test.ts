// A passkey that is blocked because its counter went back is accepted again only after an authorized person clears the alarm.
import { expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { authenticate, givePasskey, loginTicket, named, optionsOf, PAGE, postPasskey } from '#tests/support/passkeys'
import { bodyOf } from '#tests/support/sign-in'
import { factorRoutes } from '../factors/routes.ts'
import { webauthnRoutes } from './routes.ts'

const world = async () => {
  const app = await startApp([...webauthnRoutes, ...factorRoutes] as never)
  const company = await app.company()
  const person = await app.person(company)
  const device = authenticator(PAGE)
  const { factorId } = await givePasskey(app, person, device)
  expect((await authenticate(app, person, device, { ticket: await loginTicket(app, person) })).status).toBe(200)
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  const credential = device.get(options, { counter: 1 })
  expect((await postPasskey(app, '/finishAuthentication', { ...named(person), session_id: options.session_id, credential }, { ticket })).status).toBe(
    401,
  )
  const authenticates = async () => (await authenticate(app, person, device, { ticket: await loginTicket(app, person) })).status
  const clear = async (token: string, path = `/account/factors/${factorId}/clear-alarm`) => {
    const response = await app.request(path, { method: 'POST', token })
    return [response.status, response.status === 204 ? undefined : (await bodyOf(response)).code]
  }
  const ofPerson = `/people/${person.id}/factors/${factorId}/clear-alarm`
  return { app, company, person, device, factorId, authenticates, clear, ofPerson }
}
const begins = async ({ app, person }: Awaited<ReturnType<typeof world>>): Promise<number> =>
  (await postPasskey(app, '/beginAuthentication', named(person), { ticket: await loginTicket(app, person) })).status

test('the owner clears the alarm after proving another factor; the passkey works again with a new counter, and the next copy raises the alarm again', async () => {
  const w = await world()
  const { app, person, device } = w
  expect(await begins(w)).toBe(428)
  const strong = await app.token(person, ['pwd', 'otp'])
  expect(await w.clear(strong)).toEqual([204, undefined])
  expect(await w.authenticates()).toBe(200)
  expect(await w.clear(strong)).toEqual([404, 'not_found'])
  const [event, ...more] = await app.events(person.tenantId, { event: 'passkey.alarm_cleared' })
  expect([event?.targetId, event?.actorId, more.length]).toEqual([w.factorId, person.id, 0])
  expect((await app.mailsTo(person.email)).at(-1)?.subject).toContain('A passkey of your account at')
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  const credential = device.get(options, { counter: 1 })
  await postPasskey(app, '/finishAuthentication', { ...named(person), session_id: options.session_id, credential }, { ticket })
  expect(await begins(w)).toBe(428)
})

test('an administrator with all rights of the owner clears the alarm', async () => {
  const w = await world()
  expect(await w.clear(await w.app.token(w.company.admin), w.ofPerson)).toEqual([204, undefined])
  expect(await w.authenticates()).toBe(200)
  expect((await w.app.mailsTo(w.person.email)).at(-1)?.text).toContain('It was blocked because it may have been copied.')
})

test('the mails about the alarm link the owner to the passkey and tell administrators what to do', async () => {
  const { app, company, person, factorId } = await world()
  const [owners, administrators] = [await app.mailsTo(person.email), await app.mailsTo(company.admin.email)]
  expect(owners.at(-1)?.text).toContain(`/me/method?id=${factorId}`)
  expect(administrators.at(-1)?.text).toContain(person.email)
  expect(administrators.at(-1)?.text).toContain('clear-alarm')
})

test('refused for an old or weak sign-in, another person, another company, an administrator with fewer rights, and for one\u2019s own passkey through administration', async () => {
  const w = await world()
  const { app, company, person } = w
  const old = await app.token(person, ['pwd', 'otp'])
  const stale = await app.token(company.admin)
  app.clock.advance(15 * 60 + 1)
  const boss = await app.person(company, ['admin:access', 'users:write', 'audit:read'])
  const globex = await app.company('globex')
  const clerk = await app.token(await app.person(company, ['admin:access', 'users:write']))
  expect(await w.clear(old)).toEqual([401, 'insufficient_user_authentication'])
  expect(await w.clear(await app.token(person))).toEqual([401, 'insufficient_user_authentication'])
  expect(await w.clear(await app.token(boss, ['pwd', 'otp']))).toEqual([404, 'not_found'])
  expect(await w.clear(stale, w.ofPerson)).toEqual([401, 'insufficient_user_authentication'])
  expect(await w.clear(await app.token(globex.admin), w.ofPerson)).toEqual([404, 'not_found'])
  expect((await w.clear(await app.token(person, ['pwd', 'otp']), w.ofPerson))[0]).toBe(403)
  const { factorId } = await givePasskey(app, boss, authenticator(PAGE))
  expect(await w.clear(clerk, `/people/${boss.id}/factors/${factorId}/clear-alarm`)).toEqual([403, 'cannot_grant'])
  expect(await w.clear(await app.token(boss, ['pwd', 'otp']), `/people/${boss.id}/factors/${factorId}/clear-alarm`)).toEqual([403, 'forbidden'])
  expect(await begins(w)).toBe(428)
  expect(await app.events(person.tenantId, { event: 'passkey.alarm_cleared' })).toEqual([])
})

test('of twenty concurrent requests one clears the alarm', async () => {
  const w = await world()
  const token = await w.app.token(w.person, ['pwd', 'otp'])
  const answers = await Promise.all(Array.from({ length: 20 }, () => w.clear(token)))
  expect(answers.filter(([status]) => status === 204)).toHaveLength(1)
})
