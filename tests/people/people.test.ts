import { expect, test } from 'vitest'
import { asOwner, atomically, forTenant } from '#db/engine/tenant'
import { insertFactor } from '#db/store/factors'
import { addMembers, insertGroups } from '#db/store/groups'
import { hasLoginTransaction } from '#db/store/login-transactions'
import { putConsent } from '#db/store/oauth-authorizations'
import { deleteUser } from '#db/store/people'
import { countPersonRows } from '#db/store/person-data'
import { putPushDevice } from '#db/store/push-devices'
import { insertPhone } from '#db/store/sms'
import { findUser } from '#db/store/users'
import { findVoiceLinks, findVoiceSession, insertVoiceLink, insertVoiceSession } from '#db/store/voice'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import { problem } from '#shared/platform/http/problem'
import { auditRoutes } from '../../functions/audit/routes.ts'
import { parseCsv } from '../../functions/people/csv.ts'
import { peopleRoutes } from '../../functions/people/routes.ts'
import { startApp } from '../support/app.ts'

const house = async () => {
  const app = await startApp([...peopleRoutes, ...auditRoutes], { render: problem })
  const company = await app.company()
  const token = await app.token(company.admin)
  const upload = (csv: string, query = '', as = token) =>
    app.request(`/people/import${query}`, { method: 'POST', token: as, body: csv, headers: { 'content-type': 'text/csv' } })
  return { app, company, token, upload }
}
const codeOf = async (response: Response): Promise<unknown> => ({ status: response.status, code: (await response.json()).code })

test('a change needs the ETag of the record that was read', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  const path = `/people/${pat.id}`
  const read = await app.request(path, { token })
  const etag = read.headers.get('etag') ?? ''
  const patch = (body: object, headers: Record<string, string> = {}) => app.request(path, { method: 'PATCH', token, body, headers })
  expect(await codeOf(await patch({ name: 'A' }))).toEqual({ status: 428, code: 'precondition_required' })
  const changed = await patch({ name: 'A', external_id: 'e-1' }, { 'if-match': etag })
  expect(await changed.json()).toMatchObject({ name: 'A', external_id: 'e-1' })
  expect(await codeOf(await patch({ name: 'B' }, { 'if-match': etag }))).toEqual({ status: 412, code: 'precondition_failed' })
  expect((await patch({ username: null }, { 'if-match': changed.headers.get('etag') ?? '' })).status).toBe(200)
  expect(await codeOf(await patch({ nickname: 'P' }, { 'if-match': '*' }))).toEqual({ status: 400, code: 'invalid_request' })
  expect((await app.request(path, { token, headers: { 'if-none-match': changed.headers.get('etag') ?? '' } })).status).toBe(304)
})

test('an import adds each person once, updates differences, and reports the result of each row', async () => {
  const { app, company, upload } = await house()
  const csv =
    '\uFEFFexternal_id,email,name,active\r\ne1,Ann@acme.example,"Ann ""A"" One",\r\ne2,bob@acme.example,Bob,false\r\n,not an address,,\r\ne1,cy@acme.example,,\r\n'
  const dry = await (await upload(csv, '?dry_run=true')).json()
  expect(dry).toMatchObject({ dry_run: true, counts: { created: 2, refused: 2 } })
  const list = async (query = '') => (await app.request(`/people?${query}`, { token: await app.token(company.admin) })).json()
  expect((await list()).total).toBe(1)
  const done = await (await upload(csv)).json()
  expect(done.rows).toMatchObject([
    { line: 2, result: 'created', user_id: expect.any(String) },
    { line: 3, result: 'created' },
    { line: 4, result: 'refused', code: 'invalid_request', field: 'email' },
    { line: 5, result: 'refused', code: 'conflict', field: 'external_id' },
  ])
  expect(await list()).toMatchObject({ total: 3 })
  expect(await list('active=false')).toMatchObject({ total: 1, people: [{ email: 'bob@acme.example', name: 'Bob' }] })
  expect(await list('search=ann%20%22a')).toMatchObject({ people: [{ email: 'ann@acme.example', external_id: 'e1' }] })
  expect((await (await upload(csv)).json()).counts).toEqual({ created: 0, updated: 0, unchanged: 2, refused: 2, not_tried: 0 })
  const next = await (await upload('external_id,email,name,active\ne1,ann@new.example,Ann,\ne2,bob@acme.example,,true\n')).json()
  expect(next.counts).toMatchObject({ updated: 2 })
  const { people } = await list('search=ann@new')
  expect(people).toMatchObject([{ id: done.rows[0].user_id, name: 'Ann', email_verified: false }])
})

test('people are listed by group and by whether they have a second factor', async () => {
  const { app, company, token } = await house()
  const [ann, bob, cy] = [await app.person(company), await app.person(company), await app.person(company)]
  const globex = await app.company()
  const eve = await app.person(globex)
  const [crew, foreign] = [app.ctx.random.id(), app.ctx.random.id()]
  const at = app.clock.now()
  for (const [of, group, members] of [[company, crew, [ann, bob]] as const, [globex, foreign, [eve]] as const]) {
    await atomically(forTenant(app.db, of.tenantId), async (t) => {
      await insertGroups(t, [{ id: group, name: 'crew' }], at)
      await addMembers(
        t,
        members.map(({ id }) => ({ userId: id, groupId: group })),
        at,
      )
    })
  }
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    await insertFactor(t, { id: app.ctx.random.id(), userId: bob.id, kind: 'totp', confirmedAt: at, createdAt: at })
    // An unconfirmed factor does not count.
    await insertFactor(t, { id: app.ctx.random.id(), userId: cy.id, kind: 'sms', confirmedAt: null, createdAt: at })
  })
  const list = async (query: string): Promise<unknown> => {
    const { people, total } = await (await app.request(`/people?sort=email&${query}`, { token })).json()
    return [total, people.map(({ id }: { readonly id: string }) => id).toSorted()]
  }
  const ids = (...who: readonly { readonly id: string }[]): readonly string[] => who.map(({ id }) => id).toSorted()
  expect(await list(`group_id=${crew}`)).toEqual([2, ids(ann, bob)])
  expect(await list('second_factor=true')).toEqual([1, ids(bob)])
  expect(await list('second_factor=false')).toEqual([3, ids(ann, cy, company.admin)])
  expect(await list(`group_id=${crew}&second_factor=false&limit=1`)).toEqual([1, ids(ann)])
  for (const unknown of [foreign, app.ctx.random.id()]) expect(await list(`group_id=${unknown}`)).toEqual([0, []])
  expect(await codeOf(await app.request('/people?group_id=crew', { token }))).toEqual({ status: 400, code: 'invalid_request' })
})

test('an import takes over no account: such a row is refused, and the others are applied', async () => {
  const { app, company, upload } = await house()
  const target = await app.person(company, ['audit:read'])
  const clerk = await app.token(await app.person(company, ['admin:access', 'users:write']))
  await upload(`external_id,email\nx1,${target.email}\n`)
  const answer = await (
    await upload(`external_id,email,active\nx1,evil@acme.example,\n,new@acme.example,\n,${company.admin.email},false\n`, '', clerk)
  ).json()
  expect(answer.rows).toMatchObject([
    { result: 'refused', code: 'cannot_grant' },
    { result: 'created' },
    { result: 'refused', code: 'insufficient_scope' },
  ])
  expect(await findUser(forTenant(app.db, company.tenantId), target.id)).toMatchObject({ email: target.email })
})

test('trusted issuers identify a person by external id: setting one requires the person\u2019s rights, on the record and in a file', async () => {
  const { app, company, token, upload } = await house()
  const target = await app.person(company, ['audit:read'])
  const clerk = await app.token(await app.person(company, ['admin:access', 'users:write']))
  const set = (as: string) =>
    app.request(`/people/${target.id}`, { method: 'PATCH', token: as, body: { external_id: 'of-the-clerk' }, headers: { 'if-match': '*' } })
  expect(await codeOf(await set(clerk))).toEqual({ status: 403, code: 'cannot_grant' })
  const csv = `external_id,email\nof-the-clerk,${target.email}\n`
  expect((await (await upload(csv, '', clerk)).json()).rows).toMatchObject([{ result: 'refused', code: 'cannot_grant', user_id: target.id }])
  const row = () => findUser(forTenant(app.db, company.tenantId), target.id)
  expect((await row())?.externalId).toBeNull()
  expect((await (await upload(csv, '', token)).json()).rows).toMatchObject([{ result: 'updated' }])
  expect((await row())?.externalId).toBe('of-the-clerk')
})

test('a file cannot change the caller\u2019s own address either', async () => {
  const { app, company, token, upload } = await house()
  expect((await (await upload(`external_id,email\nme,${company.admin.email}\n`)).json()).counts).toMatchObject({ updated: 1 })
  const answer = await (await upload('external_id,email\nme,elsewhere@evil.example\n')).json()
  expect(answer.rows).toMatchObject([{ result: 'refused', code: 'forbidden', field: 'email' }])
  expect(await findUser(forTenant(app.db, company.tenantId), company.admin.id)).toMatchObject({ email: company.admin.email })
  expect((await app.request('/people', { token })).status).toBe(200)
})

test('a refused row leaves the links of the person it names valid', async () => {
  const { app, company, upload } = await house()
  const target = await app.person(company, ['audit:read'])
  const t = forTenant(app.db, company.tenantId)
  await upload(`external_id,email\nx1,${target.email}\n`)
  await atomically(t, (tx) =>
    startLoginTransaction(tx, app.ctx, { purpose: 'set_password', userId: target.id, clientId: null, verified: [], seconds: 3600 }),
  )
  const opens = () => hasLoginTransaction(t, target.id, 'set_password', app.clock.now())
  const clerk = await app.token(await app.person(company, ['admin:access', 'users:write', 'users:active']))
  const csv = 'external_id,email,active\nx1,evil@acme.example,false\n'
  expect((await (await upload(csv, '', clerk)).json()).rows).toMatchObject([{ result: 'refused', code: 'cannot_grant' }])
  expect(await opens()).toBe(true)
  expect((await (await upload(csv, '?dry_run=true')).json()).rows).toMatchObject([{ result: 'updated' }])
  expect(await opens()).toBe(true)
  expect((await (await upload(csv)).json()).rows).toMatchObject([{ result: 'updated' }])
  expect(await opens()).toBe(false)
})

test('no mail is sent to unverified addresses, however many a file contains', async () => {
  const { app, company, upload } = await house()
  await upload('external_id,email\ns1,stranger@elsewhere.example\n')
  expect((await (await upload('external_id,email,active\ns1,other@elsewhere.example,false\n')).json()).counts).toMatchObject({ updated: 1 })
  for (const name of ['stranger', 'other']) expect(await app.mailsTo(`${name}@elsewhere.example`)).toEqual([])
  const pat = await app.person(company)
  await upload(`external_id,email\np1,${pat.email}\n`)
  await upload('external_id,email\np1,moved@elsewhere.example\n')
  expect(await app.mailsTo(pat.email)).toHaveLength(1)
})

test('a row that names two people, or a person by another\u2019s id, changes no one', async () => {
  const { app, company, upload } = await house()
  const [ann, bob] = [await app.person(company), await app.person(company)]
  await upload(`external_id,email\na1,${ann.email}\nb1,${bob.email}\n`)
  const { rows } = await (await upload(`external_id,email,name\na1,${bob.email},Both\nnew,${ann.email},Other\n`)).json()
  expect(rows).toMatchObject([
    { result: 'refused', code: 'email_taken', field: 'email' },
    { result: 'refused', code: 'conflict', field: 'external_id' },
  ])
  const t = forTenant(app.db, company.tenantId)
  expect(await findUser(t, ann.id)).toMatchObject({ email: ann.email, externalId: 'a1', name: 'Pat Person' })
  expect(await findUser(t, bob.id)).toMatchObject({ email: bob.email, externalId: 'b1', name: 'Pat Person' })
})

test('an invalid file is refused completely', async () => {
  const { app, company, token, upload } = await house()
  for (const csv of ['', 'name\nA\n', 'email,shoe_size\na@b.example,3\n', 'email,email\n', 'email\n"a@b.example\n']) {
    expect(await codeOf(await upload(csv)), csv).toEqual({ status: 400, code: 'invalid_request' })
  }
  expect(await codeOf(await upload(`email\n${'a@b.example\n'.repeat(10_001)}`))).toEqual({ status: 400, code: 'invalid_request' })
  expect(await codeOf(await upload(`email\n${'x'.repeat(5 * 1024 * 1024)}`))).toEqual({ status: 413, code: 'payload_too_large' })
  const json = await app.request('/people/import', { token, body: { email: 'a@b.example' } })
  expect(await codeOf(json)).toEqual({ status: 400, code: 'unsupported_media_type' })
  expect((await app.request('/people', { token: await app.token(company.admin) }).then((r) => r.json())).total).toBe(1)
})

test('cells end as RFC 4180 specifies', () => {
  expect(parseCsv('a,b\r\n"x,""y""\n z", w\r\n\r\n,\nlast', 10)).toEqual({
    records: [
      { line: 1, cells: ['a', 'b'] },
      { line: 2, cells: ['x,"y"\n z', ' w'] },
      { line: 5, cells: ['', ''] },
      { line: 6, cells: ['last'] },
    ],
  })
  expect(parseCsv('a\n"b\n', 10)).toMatchObject({ openQuoteAt: 2 })
})

test('an export contains factors, devices, voice links and consents without secrets, and events newest first', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  const now = app.clock.now()
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const own = () => ({ id: app.ctx.random.id(), userId: pat.id })
    const device = { ...own(), sessionId: app.ctx.random.id(), platform: 'ios', deviceName: 'Pat\u2019s phone', createdAt: now } as const
    await putPushDevice(t, { ...device, tokenHash: new Uint8Array(32), sealedToken: new Uint8Array(9) })
    const speaker = { voicePlatform: 'alexa', voiceUserId: 'amzn-pat', voiceUserName: 'Pat', linkMethod: 'manual', linkedAt: now }
    await insertVoiceLink(t, { ...own(), ...speaker })
    await putConsent(t, { ...own(), clientId: company.clientId, resourceServerId: null, scopes: ['openid'], at: now })
    const phone = { ...own(), kind: 'sms', name: 'Mobile', confirmedAt: now, createdAt: now } as const
    await insertFactor(t, phone)
    const number = { factorId: phone.id, userId: pat.id, sealed: new Uint8Array(9), phoneHash: new Uint8Array(32) }
    await insertPhone(t, { ...number, display: '+49 \u2026 567' })
  })
  for (const name of ['First', 'Second']) {
    await app.request(`/people/${pat.id}`, { method: 'PATCH', token, body: { name }, headers: { 'if-match': '*' } })
    app.clock.advance(1)
  }
  const exported = await (await app.request(`/people/${pat.id}/export`, { token })).json()
  expect(exported).toMatchObject({
    factors: [{ kind: 'sms', name: 'Mobile', phone: '+49 \u2026 567' }],
    push_devices: [{ platform: 'ios', name: 'Pat\u2019s phone' }],
    voice_links: [{ platform: 'alexa', voice_user_id: '\u2026-pat', name: 'Pat' }],
    consents: [{ client_id: company.clientId, resource: null, scopes: ['openid'] }],
  })
  expect(JSON.stringify(exported)).not.toMatch(/sealed|token/)
  const names = exported.events.filter(({ event }: { event: string }) => event === 'user.updated')
  expect(names.map(({ details }: { details: { after?: object } }) => details.after)).toMatchObject([{ name: 'Second' }, { name: 'First' }])
})

test('erasure removes a person everywhere: the audit log stays, and its personal data is unreadable', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company, ['users:read'])
  const open = await app.token(pat)
  await app.request(`/people/${pat.id}`, { method: 'PATCH', token, body: { name: 'Secret Name' }, headers: { 'if-match': '*' } })
  const exported = await (await app.request(`/people/${pat.id}/export`, { token })).json()
  expect(exported).toMatchObject({ person: { email: pat.email }, permissions: ['users:read'], sessions: [{ amr: ['pwd'] }] })
  expect(JSON.stringify(exported)).toContain('Secret Name')
  expect(JSON.stringify(exported)).not.toMatch(/argon2|hash/)
  const before = (await app.events(company.tenantId)).filter(({ subjectId }) => subjectId === pat.id)
  expect((await app.request(`/people/${pat.id}/erase`, { method: 'POST', token })).status).toBe(200)
  expect(await findUser(forTenant(app.db, company.tenantId), pat.id)).toBeUndefined()
  expect(Object.values(await countPersonRows(forTenant(app.db, company.tenantId), pat.id)).every((left) => left === 0)).toBe(true)
  expect((await app.request('/people', { token: open })).status).toBe(401)
  const after = (await app.events(company.tenantId)).filter(({ subjectId }) => subjectId === pat.id)
  expect(after).toEqual(before)
  const record = await (await app.request(`/audit/events?target_id=${pat.id}`, { token })).json()
  expect(JSON.stringify(record)).not.toMatch(/Secret Name|@/)
  expect(record.events.some(({ erased }: { erased: boolean }) => erased)).toBe(true)
  expect(await codeOf(await app.request(`/people/${pat.id}/export`, { token }))).toEqual({ status: 404, code: 'not_found' })
})

test('a deleted person can still be erased, once; a company cannot be erased by its id', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  await app.request(`/people/${pat.id}`, { method: 'PATCH', token, body: { name: 'Secret Name' }, headers: { 'if-match': '*' } })
  await atomically(forTenant(app.db, company.tenantId), (t) => deleteUser(t, pat.id))
  const record = async (): Promise<string> => (await app.request(`/audit/events?target_id=${pat.id}`, { token })).text()
  expect(await record()).toContain('Secret Name')
  const erase = (id: string) => app.request(`/people/${id}/erase`, { method: 'POST', token })
  expect((await erase(pat.id)).status).toBe(200)
  expect(await record()).not.toContain('Secret Name')
  expect((await app.events(company.tenantId, { event: 'user.erased', targetId: pat.id })).length).toBe(1)
  for (const id of [pat.id, company.tenantId, app.ctx.random.id()]) expect(await codeOf(await erase(id))).toEqual({ status: 404, code: 'not_found' })
  expect((await app.request('/audit/events', { token })).status).toBe(200)
})

test('an export contains what was done to a person without the addresses of other actors; a tampered event hides no other', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company, ['users:read'])
  await app.token(pat)
  for (const name of ['First', 'Second'])
    await app.request(`/people/${pat.id}`, {
      method: 'PATCH',
      token,
      body: { name },
      headers: { 'if-match': '*', 'user-agent': 'the administrator\u0027s' },
    })
  const [spoiled] = await app.events(company.tenantId, { event: 'user.updated', targetId: pat.id })
  await asOwner(app.db, company.tenantId, (t) =>
    t.run({
      text: 'update authsec.audit_events set sealed = set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1)) where id = $1',
      params: [spoiled?.id],
      arrays: true,
    }),
  )
  const exported = await app.request(`/people/${pat.id}/export`, { token })
  expect(exported.status).toBe(200)
  const { events } = (await exported.json()) as {
    events: { id: string; event: string; by_person: boolean; details: Record<string, unknown> | null }[]
  }
  expect(events.find(({ id }) => id === spoiled?.id)).toMatchObject({ details: null })
  const [first] = events.filter(({ event, id }) => event === 'user.updated' && id !== spoiled?.id)
  expect(first).toMatchObject({ by_person: false, details: { after: { name: 'First' } } })
  expect(JSON.stringify(events)).not.toContain('administrator\u0027s')
  expect(first?.details).not.toHaveProperty('address')
  const [own] = events.filter(({ event }) => event === 'user.signed_in')
  expect(own).toMatchObject({ by_person: true, details: { address: '192.0.2.1', user_agent: expect.any(String) } })
})

test('erasure removes the voice assistant data of the person\u2019s speakers, and of no other person\u2019s', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  const t = forTenant(app.db, company.tenantId)
  const [at, speaker] = [app.clock.now(), `speaker-${pat.id}`]
  const hashOf = (of: string): Uint8Array => app.ctx.hash('test-voice', pat.id, of)
  const link = { userId: pat.id, voicePlatform: 'alexa', voiceUserId: speaker, linkMethod: 'otp', linkedAt: at }
  const session = { clientId: company.clientId, clientAuthenticated: true, otpHash: hashOf('otp'), voicePlatform: 'alexa', createdAt: at }
  await atomically(t, async (tx) => {
    await insertVoiceLink(tx, { id: app.ctx.random.id(), ...link })
    for (const voiceUserId of [speaker, 'another-speaker'])
      await insertVoiceSession(tx, {
        id: app.ctx.random.id(),
        ...session,
        voiceUserId,
        tokenHash: hashOf(voiceUserId),
        expiresAt: new Date(at.getTime() + 60_000),
      })
  })
  expect((await app.request(`/people/${pat.id}/erase`, { method: 'POST', token })).status).toBe(200)
  expect(await findVoiceLinks(t, pat.id)).toEqual([])
  expect([await findVoiceSession(t, hashOf(speaker)), (await findVoiceSession(t, hashOf('another-speaker')))?.voiceUserId]).toEqual([
    undefined,
    'another-speaker',
  ])
})

test('no one can erase themselves, the primary administrator, or a person with more rights', async () => {
  const { app, company, token } = await house()
  const erase = async (id: string, as: string) => codeOf(await app.request(`/people/${id}/erase`, { method: 'POST', token: as }))
  expect(await erase(company.admin.id, token)).toEqual({ status: 403, code: 'forbidden' })
  const other = await app.person(company, 'admin')
  expect(await erase(company.admin.id, await app.token(other))).toEqual({ status: 403, code: 'primary_administrator' })
  const clerk = await app.token(await app.person(company, ['admin:access', 'users:delete']))
  expect(await erase(other.id, clerk)).toEqual({ status: 403, code: 'cannot_grant' })
})
