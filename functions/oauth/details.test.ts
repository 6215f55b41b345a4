// Authorization details (RFC 9396) in every grant, and budgets that are spent.
import { describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findBudgets } from '#db/store/oauth-details'
import { authorizationServerError } from '#shared/platform/http/problem'
import { exchange, introspected, newAgent, newDetailType, newExchanger, newPolicy, payment } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import {
  answerIn,
  authorizePath,
  basicOf,
  claimsOf,
  codeFor,
  newOauthClient,
  newResource,
  oauthBrowser,
  postForm,
  VERIFIER,
} from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const start = async () => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }])
  await newDetailType(app, company)
  const client = await newExchanger(app, company, { at: [server] })
  const person = await app.person(company)
  const browser = await oauthBrowser(app, person)
  const agentFor = async (type = 'assistant') => {
    const agent = await newAgent(app, company, company.admin.id, { at: [server], type })
    return agent
  }
  await newPolicy(app, company, [{ userId: person.id }], { allowed: ['tools:read'] })
  const redeem = async (details: unknown, more: Readonly<Record<string, string>> = {}) => {
    const code = await codeFor(browser, client, { authorization_details: JSON.stringify(details) })
    const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, ...more }
    return postForm(app, '/oauth/token', form, { authorization: client.authorization })
  }
  const tokenFor = async (details: unknown): Promise<string> => (await (await redeem(details)).json()).access_token
  const spend = (token: string, more: Readonly<Record<string, string>> = {}, authorization = server.authorization) =>
    postForm(app, '/oauth/spend', { token, ...more }, { authorization })
  const spentOf = async (response: Response) => {
    const { status } = response
    const body = await response.json()
    return status === 200 ? [200, body.calls_left, body.amount_left] : [status, body.error]
  }
  return { app, company, server, client, person, browser, agentFor, redeem, tokenFor, spend, spentOf }
}
const json = JSON.stringify

describe('Requests with authorization details', () => {
  test('The consent page describes the details; token response, token and introspection contain them', async () => {
    const { app, server, client, browser, redeem } = await start()
    const path = authorizePath(client, { authorization_details: json([payment({ note: 'for <b>Ada</b>\u202e' })]) })
    const html = await (await browser.get(path)).text()
    for (const words of ['Pay invoices', '€50.00', 'at most 10 times', 'a-1', 'for &lt;b&gt;Ada&lt;/b&gt;']) expect(html).toContain(words)
    expect(html).not.toContain('\u202e')
    const set = await (await redeem([payment()])).json()
    expect(set).toMatchObject({ scope: '', authorization_details: [payment()] })
    expect(claimsOf(set.access_token)).toMatchObject({ authorization_details: [payment()], aud: server.resource })
    expect(await introspected(app, server, set.access_token)).toMatchObject({
      active: true,
      authorization_details: [payment()],
      authorization_details_left: [{ calls_left: 10, amount_left: 5000, currency: 'EUR' }],
    })
  })

  test('Details require consent every time', async () => {
    const { client, browser } = await start()
    const more = { authorization_details: json([payment()]) }
    await codeFor(browser, client, more)
    expect((await browser.get(authorizePath(client, more))).status).toBe(200)
    expect(answerIn(await browser.get(authorizePath(client, { ...more, prompt: 'none' }))).get('error')).toBe('consent_required')
  })

  test('Details can be pushed (RFC 9126)', async () => {
    const { app, client, browser } = await start()
    const form = {
      response_type: 'code',
      redirect_uri: client.redirectUri,
      code_challenge: new URL(authorizePath(client), 'http://x').searchParams.get('code_challenge') ?? '',
      code_challenge_method: 'S256',
    }
    const push = (details: string) =>
      postForm(app, '/oauth/par', { ...form, authorization_details: details }, { authorization: client.authorization })
    const pushed = await (await push(json([payment()]))).json()
    const sent = await browser.get(`/oauth/authorize?${new URLSearchParams({ client_id: client.id, request_uri: pushed.request_uri })}`)
    expect(await (await browser.get(sent.headers.get('location') ?? '')).text()).toContain('Pay invoices')
    const refused = await push(json([{ type: 'unknown' }]))
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_authorization_details'])
  })

  const bad: readonly (readonly [string, string])[] = [
    ['no JSON', '[{'],
    ['no array', json(payment())],
    ['an empty array', '[]'],
    ['no type', '[{}]'],
    ['a type that is not a string', '[{"type":1}]'],
    ['an unknown type', json([{ type: 'transfer' }])],
    ['an unknown member', json([payment({ more: 1 })])],
    ['a missing member', json([{ type: 'payment', max_calls: 1 }])],
    ['a negative amount', json([payment({ max_amount: -1 })])],
    ['a fraction', json([payment({ max_amount: 0.1 })])],
    ['a huge number', `[${json(payment()).replace('5000', '1e400')}]`],
    ['a number beyond the safe integers', `[${json(payment()).replace('5000', '9007199254740993')}]`],
    ['a string in place of a number', json([payment({ max_amount: '5000' })])],
    ['an invalid currency', json([payment({ currency: 'euro' })])],
    ['a prototype', '[{"type":"payment","__proto__":{"max_amount":1}}]'],
    ['a constructor', json([payment({ constructor: 1 })])],
    ['a repeated member', '[{"type":"payment","max_calls":1,"max_calls":1000,"max_amount":1,"currency":"EUR"}]'],
    ['a repeated detail', json([payment(), payment()])],
    ['null', '[null]'],
    ['thirty details', json(Array.from({ length: 30 }, (_, n) => payment({ max_calls: n })))],
    ['too long', json([payment({ accounts: Array.from({ length: 10 }, () => 'x'.repeat(400)) })])],
    ['too deep', `[{"type":"payment","accounts":${'['.repeat(40)}${']'.repeat(40)}}]`],
    ['a lone surrogate', '[{"type":"payment","max_calls":1,"max_amount":1,"currency":"EUR","note":"\\ud800"}]'],
  ]
  test.each(bad)('%s is reported to the client as invalid_authorization_details', async (_, details) => {
    const { client, browser } = await start()
    const answer = answerIn(await browser.get(authorizePath(client, { authorization_details: details })))
    expect([answer.get('error'), answer.get('state')]).toEqual(['invalid_authorization_details', 'st-1'])
  })

  test('A token request may select granted details, but cannot change them', async () => {
    const { app, client, browser } = await start()
    const two = [payment(), payment({ max_calls: 3, accounts: ['a-9'] })]
    const code = await codeFor(browser, client, { authorization_details: json(two) })
    const headers = { authorization: client.authorization }
    const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER }
    const wider = await postForm(app, '/oauth/token', { ...form, authorization_details: json([payment({ max_calls: 11 })]) }, headers)
    expect([wider.status, (await wider.json()).error]).toEqual([400, 'invalid_authorization_details'])
    const set = await (await postForm(app, '/oauth/token', { ...form, authorization_details: json([two[1]]) }, headers)).json()
    expect(set.authorization_details).toEqual([two[1]])
    const refresh = (more: Readonly<Record<string, string>>) =>
      postForm(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token: set.refresh_token, ...more }, headers)
    const refused = await refresh({ authorization_details: json([payment({ max_amount: 5001 })]) })
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_authorization_details'])
    expect((await (await refresh({})).json()).authorization_details).toEqual(two)
  })

  test('client_credentials accepts no authorization details, since no person consents', async () => {
    const { app, client } = await start()
    const form = { grant_type: 'client_credentials', authorization_details: json([payment()]) }
    const refused = await postForm(app, '/oauth/token', form, { authorization: client.authorization })
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'invalid_authorization_details'])
  })

  test('A detail type belongs to one tenant, and to one resource server if it names one', async () => {
    const { app, company, client, browser, server } = await start()
    const other = await newResource(app, company, [])
    await newDetailType(app, company, {
      type: 'elsewhere',
      resourceServerId: other.id,
      limits: [],
      jsonSchema: { type: 'object', additionalProperties: false, properties: { type: { type: 'string' } } },
    })
    await newDetailType(app, await app.company('globex'), { type: 'theirs' })
    for (const type of ['elsewhere', 'theirs']) {
      const requested = authorizePath(client, { authorization_details: json([{ ...payment(), type }]), resource: server.resource })
      expect(answerIn(await browser.get(requested)).get('error')).toBe('invalid_authorization_details')
    }
  })
})

describe('Delegation to an agent', () => {
  test('An exchange can lower limits and remove members of a set, never raise, omit or add', async () => {
    const { app, agentFor, tokenFor } = await start()
    const subject = await tokenFor([payment()])
    const agent = await agentFor()
    const exchangeFor = (details: unknown) => exchange(app, agent, subject, { authorization_details: json(details) })
    const { max_calls: _, ...without } = payment()
    for (const wider of [
      payment({ max_calls: 11 }),
      payment({ max_amount: 5001 }),
      payment({ accounts: ['a-1', 'a-3'] }),
      payment({ accounts: [] }),
      payment({ currency: 'USD' }),
      payment({ note: 'new' }),
      without,
      { ...payment(), accounts: undefined },
    ])
      expect([(await exchangeFor([wider])).status], json(wider)).toEqual([400])
    const set = await (await exchangeFor([payment({ max_calls: 2, max_amount: 100, accounts: ['a-2'] })])).json()
    expect(set.authorization_details).toEqual([payment({ max_calls: 2, max_amount: 100, accounts: ['a-2'] })])
    expect((await (await exchange(app, agent, subject)).json()).authorization_details).toEqual([payment()])
  })
})

describe('Spending', () => {
  test('Calls and amounts are spent once per spend_id, until the limit is reached', async () => {
    const { tokenFor, spend, spentOf } = await start()
    const token = await tokenFor([payment({ max_calls: 3, max_amount: 1000 })])
    expect(await spentOf(await spend(token))).toEqual([200, 2, 1000])
    expect(await spentOf(await spend(token, { calls: '1', amount: '900', currency: 'EUR', spend_id: 's-1' }))).toEqual([200, 1, 100])
    const again = await (await spend(token, { calls: '1', amount: '900', currency: 'EUR', spend_id: 's-1' })).json()
    expect(again).toMatchObject({ repeated: true, amount: 900, amount_left: 100, calls_left: 1 })
    expect(await spentOf(await spend(token, { amount: '101', currency: 'EUR' }))).toEqual([409, 'limit_exceeded'])
    expect(await spentOf(await spend(token, { calls: '2' }))).toEqual([409, 'limit_exceeded'])
    expect(await spentOf(await spend(token, { calls: '1', amount: '100', currency: 'EUR' }))).toEqual([200, 0, 0])
    expect(await spentOf(await spend(token))).toEqual([409, 'limit_exceeded'])
  })

  test('A spend_id with other values or for another detail is refused and spends nothing', async () => {
    const { app, company, tokenFor, spend, spentOf } = await start()
    const token = await tokenFor([payment({ max_calls: 9, max_amount: 1000 }), payment({ max_calls: 8, max_amount: 1000 })])
    const spending = { calls: '1', amount: '100', currency: 'EUR', spend_id: 's-1' }
    expect(await spentOf(await spend(token, spending))).toEqual([200, 8, 900])
    const events = (await app.events(company.tenantId)).length
    for (const other of [{ calls: '2' }, { calls: '' }, { amount: '101' }, { amount: '' }, { currency: 'USD' }, { detail: '1' }]) {
      expect(await spentOf(await spend(token, { ...spending, ...other }))).toEqual([409, 'spend_id_reused'])
    }
    expect(await (await spend(token, spending)).json()).toMatchObject({ repeated: true, calls_left: 8, amount_left: 900 })
    expect(await (await spend(token, { ...spending, spend_id: 's-2', detail: '1' })).json()).toMatchObject({ repeated: false, calls_left: 7 })
    expect((await app.events(company.tenantId)).length).toBe(events + 1)
  })

  test('A refused amount does not use up its spend_id', async () => {
    const { tokenFor, spend, spentOf } = await start()
    const token = await tokenFor([payment({ max_calls: 1, max_amount: 100 })])
    expect(await spentOf(await spend(token, { calls: '2', spend_id: 's-1' }))).toEqual([409, 'limit_exceeded'])
    expect((await spentOf(await spend(token, { calls: '1', spend_id: 's-1' })))[0]).toBe(200)
  })

  test.each([
    [{ amount: '1' }],
    [{ amount: '1', currency: 'USD' }],
    [{ calls: '-1' }],
    [{ calls: '1.5' }],
    [{ calls: '1e3' }],
    [{ calls: '9'.repeat(16) }],
    [{ calls: '0' }],
    [{ detail: '1' }],
    [{ detail: 'x' }],
  ])('%j is malformed and spends nothing', async (more) => {
    const { app, server, tokenFor, spend, spentOf } = await start()
    const token = await tokenFor([payment()])
    expect(await spentOf(await spend(token, more as Readonly<Record<string, string>>))).toEqual([400, 'invalid_request'])
    expect((await introspected(app, server, token)).authorization_details_left).toEqual([{ calls_left: 10, amount_left: 5000, currency: 'EUR' }])
  })

  test('Only the resource server of the token can spend, and only from an active token', async () => {
    const { app, company, client, tokenFor, spend, spentOf } = await start()
    const token = await tokenFor([payment()])
    const other = await newResource(app, company, [])
    expect(await spentOf(await spend(token, {}, other.authorization))).toEqual([400, 'invalid_grant'])
    for (const authorization of [client.authorization, basicOf(other.id, 'x')])
      expect(await spentOf(await spend(token, {}, authorization))).toEqual([401, 'invalid_client'])
    await postForm(app, '/oauth/revoke', { token }, { authorization: client.authorization })
    expect(await spentOf(await spend(token))).toEqual([400, 'invalid_grant'])
    expect(await spentOf(await spend(''))).toEqual([400, 'invalid_request'])
  })

  test('A detail without limits is not counted', async () => {
    const { app, company, tokenFor, spend } = await start()
    const schema = { type: 'object', additionalProperties: false, required: ['type'], properties: { type: { type: 'string' } } }
    await newDetailType(app, company, { type: 'look', limits: [], jsonSchema: schema })
    const token = await tokenFor([{ type: 'look' }])
    expect(await (await spend(token, { calls: '100' })).json()).toEqual({ spent: true, calls: 100, amount: 0, repeated: false })
  })

  test('A time can be a limit, too', async () => {
    const { app, company, tokenFor, spend, spentOf } = await start()
    const schema = {
      type: 'object',
      additionalProperties: false,
      required: ['type', 'until'],
      properties: { type: { type: 'string' }, until: { type: 'integer' } },
    }
    await newDetailType(app, company, { type: 'soon', limits: [{ member: 'until', kind: 'until' }], jsonSchema: schema })
    const token = await tokenFor([{ type: 'soon', until: Math.floor(app.clock.now().getTime() / 1000) + 60 }])
    expect((await spend(token)).status).toBe(200)
    app.clock.advance(60)
    expect(await spentOf(await spend(token))).toEqual([409, 'limit_exceeded'])
  })

  test('All delegated tokens together spend no more than the budget of their parent', async () => {
    const { app, server, agentFor, tokenFor, spend } = await start()
    const subject = await tokenFor([payment({ max_calls: 20 })])
    const children = await Promise.all(
      Array.from({ length: 5 }, async () => (await (await exchange(app, await agentFor(), subject)).json()).access_token as string),
    )
    const grandchild = (await (await exchange(app, await agentFor(), children[0] ?? '')).json()).access_token as string
    const holders = [subject, ...children, grandchild]
    const answers = await Promise.all(Array.from({ length: 50 }, (_, n) => spend(holders[n % holders.length] ?? '')))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(20)
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(30)
    for (const token of holders) expect((await introspected(app, server, token)).authorization_details_left).toMatchObject([{ calls_left: 0 }])
    const budgets = await findBudgets(forTenant(app.db, claimsOf(subject).tenant_id as never), String(claimsOf(subject).authorization_id))
    expect(budgets).toMatchObject([{ calls: 20, callsSpent: 20 }])
  })

  test('A delegated token stops at its own lower limit; its parent can spend on', async () => {
    const { app, agentFor, tokenFor, spend, spentOf } = await start()
    const subject = await tokenFor([payment({ max_calls: 5 })])
    const requested = { authorization_details: json([payment({ max_calls: 2 })]) }
    const child = (await (await exchange(app, await agentFor(), subject, requested)).json()).access_token as string
    const attempts = await Promise.all(Array.from({ length: 50 }, () => spend(child)))
    expect(attempts.filter(({ status }) => status === 200)).toHaveLength(2)
    expect(await spentOf(await spend(subject))).toEqual([200, 2, 5000])
    expect(await spentOf(await spend(child))).toEqual([409, 'limit_exceeded'])
  })

  test('The audit log records what was spent', async () => {
    const { app, company, client, person, tokenFor, spend } = await start()
    await spend(await tokenFor([payment()]), { amount: '7', currency: 'EUR' })
    const [event] = await app.events(company.tenantId, { event: 'oauth.limit_spent' })
    expect(event).toMatchObject({ actorId: client.id, onBehalfOf: person.id, targetType: 'budget' })
  })
})

test('A client without a resource server cannot request details', async () => {
  const { app, company, browser } = await start()
  const client = await newOauthClient(app, company)
  const answer = answerIn(await browser.get(authorizePath(client, { scope: 'openid', authorization_details: json([payment()]) })))
  expect(answer.get('error')).toBe('invalid_target')
})
