// MCP clients sign people in and MCP servers authorize tool calls: as the SDK does it, and as an attacker would.
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findMcpState } from '#db/store/mcp'
import { deleteConsent } from '#db/store/oauth-authorizations'
import { putBinding, putRole } from '#db/testing/access'
import { authorizationServerError } from '#shared/platform/http/problem'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { sha256 } from '#tests/support/backend'
import { newOauthClient, oauthBrowser } from '#tests/support/oauth'
import { accountRoutes } from '../account/routes.ts'
import { oauthRoutes } from '../oauth/routes.ts'
import { mcpRoutes } from './routes.ts'

const AT = '/authsec/sdkmgr/mcp-auth'
const APP = 'files'
type Body = Readonly<Record<string, unknown>>

type World = { readonly app: TestApp; readonly company: Company; readonly person: Person; readonly clientId: string; readonly sdkId: string }
const newServer = async (app: TestApp, company: Company): Promise<{ readonly clientId: string; readonly sdkId: string }> => {
  const secret = Buffer.from(app.ctx.random.bytes(32)).toString('hex')
  const { id } = await newOauthClient(app, company, { sdkSecretHash: sha256(secret) })
  return { clientId: id, sdkId: `${id}~${secret}` }
}
const start = async (env: Readonly<Record<string, string>> = {}): Promise<World> => {
  const app = await startApp([...mcpRoutes, ...oauthRoutes, ...accountRoutes], { render: authorizationServerError, env })
  const company = await app.company()
  return { app, company, person: await app.person(company), ...(await newServer(app, company)) }
}
const call = async ({ app }: Pick<World, 'app'>, path: string, body: Body, headers: Readonly<Record<string, string>> = {}) => {
  const response = await app.request(path.startsWith('/') ? path : `${AT}/${path}`, { body, headers })
  return { status: response.status, body: (await response.json()) as Record<string, never> & Body }
}
const begin = async (world: World, more: Body = {}) => (await call(world, 'start', { client_id: world.sdkId, app_name: APP, ...more })).body
const status = async ({ app }: Pick<World, 'app'>, id: unknown, secret?: unknown): Promise<Body> => {
  const headers = secret === undefined ? {} : { 'x-session-secret': String(secret) }
  return (await (await app.request(`${AT}/status/${encodeURIComponent(String(id))}`, { headers })).json()) as Body
}

/** The code that the program which started the session displays. */
const codeOf = (begun: Body): string => /\b[A-Z2-9]{4}-[A-Z2-9]{4}\b/.exec(String(begun.instructions))?.[0] ?? ''
const pathOf = (begun: Body): string => {
  const url = new URL(String(begun.authorization_url))
  return `${url.pathname}${url.search}`
}
/** Follows the authorization URL as the person's browser does, and returns the redirect back. */
const authorize = async ({ app, person }: World, begun: Body, signedIn = person): Promise<URL> => {
  const browser = await oauthBrowser(app, signedIn)
  const path = pathOf(begun)
  const page = await browser.get(path)
  const answered = page.status === 303 ? page : await browser.press(path, await page.text(), 'allow', { user_code: codeOf(begun) })
  return new URL(answered.headers.get('location') ?? 'about:blank')
}
const answerOf = (back: URL): Body => ({ code: back.searchParams.get('code'), state: back.searchParams.get('state') })
const signIn = async (world: World) => {
  const begun = await begin(world)
  const back = await authorize(world, begun)
  return { begun, back, answer: await call(world, 'callback', answerOf(back)) }
}
const protect = async (world: World, session: unknown, tool: string, more: Body = {}) =>
  (await call(world, 'protect-tool', { session_id: session, tool_name: tool, client_id: world.sdkId, app_name: APP, ...more })).body
const TOOLS = [
  'anyone',
  { name: 'read', rbac: { permissions: ['file:read'] } },
  { name: 'both', rbac: { permissions: ['file:read'], roles: ['librarian'], require_all: true } },
  { name: 'either', rbac: { permissions: ['file:burn'], roles: ['librarian'] } },
  { name: 'any-file', rbac: { resources: ['file'] } },
]
const declare = (world: World, more: Body = {}) => call(world, 'tools/list', { client_id: world.sdkId, app_name: APP, user_tools: TOOLS, ...more })
const grantRole = ({ app, company, person }: World, role: string, permissions: readonly string[]) =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    const at = app.clock.now()
    await putBinding(t, await putRole(t, role, permissions, at), { userId: person.id }, at)
  })

describe('signing in', () => {
  let world: World
  beforeAll(async () => {
    world = await start()
  })

  test('after consent and redirect the session is authenticated, and only the client that started it learns who signed in', async () => {
    const begun = await begin(world)
    expect(begun).toMatchObject({
      status: 'ready_for_authentication',
      client_id_used: world.clientId,
      oauth_client_id: `${world.clientId}-main-client`,
      browser_opened: false,
      redirect_mode: 'ui',
      callback_url: 'http://localhost:7468/sdkmgr/mcp-auth/callback',
    })
    expect(await status(world, begun.session_id)).toMatchObject({ status: 'pending', user_info: null })
    const back = await authorize(world, begun)
    expect(`${back.origin}${back.pathname}`).toBe(begun.callback_url)
    const { status: code, body } = await call(world, 'callback', answerOf(back))
    expect(code).toBe(200)
    expect(body).toMatchObject({
      status: 'authenticated',
      session_id: begun.session_id,
      flow: 'authorization_code_callback',
      oauth: { code_received: true, token_expires_in: 3600, refresh_token_present: false },
      user_info: { user_id: world.person.id, email: world.person.email, tenant_id: world.company.tenantId },
    })
    expect(await status(world, begun.session_id)).toMatchObject({ status: 'authenticated', user_info: null })
    expect(await status(world, begun.session_id, 'x')).toMatchObject({ user_info: null })
    expect(await status(world, begun.session_id, begun.session_secret)).toMatchObject({ user_info: { user_id: world.person.id } })
    const events = (await world.app.events(world.company.tenantId)).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['mcp_session.started', 'mcp_session.authenticated']))
  })

  test('the callback page names the application and the person, and reflects no input', async () => {
    const begun = await begin(world, { app_name: '<b>x</b>', return_url: 'http://localhost:6274/oauth?x=1' })
    expect(begun.redirect_mode).toBe('inspector')
    const back = await authorize(world, begun)
    const response = await world.app.request(`${back.pathname}${back.search}`)
    const html = await response.text()
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store'])
    expect(html).toContain(world.person.email)
    expect(html).toContain('&lt;b&gt;x&lt;/b&gt;')
    expect(html).toContain('href="http://localhost:6274/oauth?x=1"')
    expect(html).not.toContain(String(answerOf(back).code))
    // Loading the page again authenticates nothing.
    expect((await world.app.request(`${back.pathname}${back.search}`)).status).toBe(404)
    const refused = await world.app.request('/sdkmgr/mcp-auth/callback?error=%3Cscript%3E')
    expect([refused.status, (await refused.text()).includes('<script>')]).toEqual([200, false])
  })

  test('consent is required every time, because another person may have started the session', async () => {
    await signIn(world)
    const browser = await oauthBrowser(world.app, world.person)
    const url = new URL(String((await begin(world)).authorization_url))
    expect((await browser.get(`${url.pathname}${url.search}`)).status).toBe(200)
  })

  test.each(['https://evil.example/x', 'http://localhost.evil.example/', 'javascript:alert(1)', '//evil.example', 'x'])(
    'a browser does not return to %s',
    async (return_url) => {
      const { status: code, body } = await call(world, 'start', { client_id: world.sdkId, app_name: APP, return_url })
      expect([code, body.code]).toEqual([400, 'invalid_request'])
    },
  )

  test('a browser returns to an origin of the client', async () => {
    expect(await begin(world, { return_url: 'https://app.example.com/done' })).toMatchObject({ return_url: 'https://app.example.com/done' })
  })

  test.each([
    ['0', 404],
    ['dddddddd-0000-4000-8000-000000000001', 404],
    ['dddddddd-0000-4000-8000-000000000001-main-client', 404],
  ])('an unknown client (%s) begins nothing', async (client_id, expected) => {
    expect((await call(world, 'start', { client_id, app_name: APP })).status).toBe(expected)
  })

  test('a client id is accepted in each form that AuthSec accepts', async () => {
    const { clientId } = world
    await declare(world)
    for (const form of [`${clientId}-main-client`, `"${clientId}"`, clientId.replaceAll('-', '_')]) {
      expect((await begin(world, { client_id: form })).client_id_used).toBe(clientId)
    }
  })

  test('a session id is accepted with the quotes that clients add', async () => {
    const own = await start()
    const { session_id, session_secret } = (await signIn(own)).begun
    for (const form of [`"${session_id}"`, `'${session_id}'`, ` ${session_id} `]) {
      expect(await status(own, form, session_secret)).toMatchObject({ status: 'authenticated', session_id })
      const answer = await call(own, 'tools/call/oauth_user_info', { client_id: own.clientId, app_name: APP, arguments: { session_id: form } })
      expect(JSON.stringify(answer.body)).toContain(own.person.id)
    }
    await declare(own)
    expect(await protect(own, `"${session_id}"`, 'anyone')).toMatchObject({ allowed: true, session_id })
    expect(await status(own, `"${session_id}x"`)).toMatchObject({ status: 'not_found' })
    expect((await call(own, `${AT}/logout?session_id=${encodeURIComponent(`"${session_id}"`)}`, {})).status).toBe(200)
    expect((await status(own, session_id)).status).not.toBe('authenticated')
  })

  test('a code of another session, of another client or a made-up one authenticates nothing, and the session stays pending', async () => {
    const [mine, other] = [await begin(world), await begin(world)]
    const [back, theirs] = [await authorize(world, mine), await authorize(world, other)]
    const mixed = { code: theirs.searchParams.get('code'), state: back.searchParams.get('state') }
    const made = { ...mixed, code: `${world.company.tenantId}.${'A'.repeat(43)}` }
    for (const bad of [mixed, made, { ...mixed, code: 'x' }]) {
      const { status: code, body } = await call(world, 'callback', bad)
      expect([code, body.code]).toEqual([401, 'mcp_code_refused'])
    }
    expect((await call(world, 'callback', { ...mixed, state: 'x' })).status).toBe(404)
    expect(await status(world, mine.session_id)).toMatchObject({ status: 'pending' })
    expect((await call(world, 'callback', answerOf(back))).status).toBe(200)
  })

  test('one of twenty parallel callbacks authenticates the session', async () => {
    const back = await authorize(world, await begin(world))
    const all = await Promise.all(Array.from({ length: 20 }, () => call(world, 'callback', answerOf(back))))
    expect(all.map(({ status: code }) => code).filter((code) => code === 200)).toHaveLength(1)
    expect(all.filter(({ status: code }) => code >= 500)).toEqual([])
  })

  test('a pending session expires', async () => {
    const own = await start()
    const begun = await begin(own)
    const back = await authorize(own, begun)
    own.app.clock.advance(601)
    expect((await call(own, 'callback', answerOf(back))).status).toBe(404)
    expect(await status(own, begun.session_id)).toMatchObject({ status: 'expired' })
  })

  test('a token of the person authenticates the session, also with token and session id swapped; a token of another tenant, an invalid token or a second token does not', async () => {
    const { app, company, person } = world
    const token = await app.token(person)
    for (const swapped of [false, true]) {
      const { session_id } = await begin(world)
      const pair = swapped ? { jwt_token: session_id, session_id: token } : { jwt_token: token, session_id }
      const { status: code, body } = await call(world, 'authenticate', { ...pair, expires_in: 60 })
      expect([code, body]).toMatchObject([200, { status: 'authenticated', session_id, user_info: { user_id: person.id } }])
      expect((await call(world, 'authenticate', pair)).status).toBe(404)
    }
    const { session_id, session_secret } = await begin(world)
    const stranger = await app.token((await app.company('globex')).admin)
    const unsigned = `${token.split('.').slice(0, 2).join('.')}.`
    for (const jwt_token of [stranger, unsigned, `${token}x`, 'x.y.z']) {
      expect((await call(world, 'authenticate', { jwt_token, session_id })).status).toBe(401)
    }
    expect(await status(world, session_id, session_secret)).toMatchObject({ status: 'pending', user_info: null })
    const t = forTenant(app.db, company.tenantId)
    expect((await findMcpState(t, sha256(String(session_id)), app.clock.now()))?.person).toBeUndefined()
  })

  test('a session ends at its expiry, at sign-out on either side, when the person is disabled, and when the consent is revoked', async () => {
    const own = await start()
    const { app, company, person } = own
    const t = forTenant(app.db, company.tenantId)
    const isOpen = async (id: unknown) => (await status(own, id)).status === 'authenticated'
    const first = (await signIn(own)).begun.session_id
    expect(await isOpen(first)).toBe(true)
    expect((await call(own, `${AT}/logout?session_id=${encodeURIComponent(String(first))}`, {})).body).toEqual({ status: 'logged_out' })
    expect(await isOpen(first)).toBe(false)
    const second = (await signIn(own)).begun.session_id
    const grants = await app.request('/oauth/consent-grants', { token: await app.token(person) })
    const [{ id }] = (await grants.json()).consent_grants as [{ id: string }]
    await atomically(t, (tx) => deleteConsent(tx, id, person.id))
    expect(await isOpen(second)).toBe(false)
    const third = (await signIn(own)).begun.session_id
    app.clock.advance(3601)
    expect(await isOpen(third)).toBe(false)
  })
})

describe('a link that a stranger sends', () => {
  let world: World
  beforeAll(async () => {
    world = await start()
    await declare(world)
  })
  const consent = async (begun: Body, typed: Readonly<Record<string, string>>) => {
    const browser = await oauthBrowser(world.app, world.person)
    const html = await (await browser.get(pathOf(begun))).text()
    return { browser, answered: await browser.press(pathOf(begun), html, 'allow', typed) }
  }
  const events = async () => (await world.app.events(world.company.tenantId)).map(({ event, reason }) => ({ event, reason }))
  const authorizations = async () => (await events()).filter(({ event }) => event === 'oauth.authorized').length

  test('only the client of an MCP server starts a session: with its credential, or for an application whose tools it has stored', async () => {
    const open = (await newOauthClient(world.app, world.company, { isPublic: true })).id
    const selfRegistered = await newOauthClient(world.app, world.company, { registeredBy: 'dynamic', sdkSecretHash: sha256('a'.repeat(64)) })
    const before = await events()
    for (const [client_id, app_name] of [
      [open, APP],
      [`${open}~${'a'.repeat(64)}`, APP],
      [`${selfRegistered.id}~${'a'.repeat(64)}`, APP],
      [world.clientId, 'other'],
      [`${world.clientId}~${'0'.repeat(64)}`, 'other'],
    ]) {
      const { status: code, body } = await call(world, 'start', { client_id, app_name })
      expect([client_id, code, body.code]).toEqual([client_id, 404, 'mcp_client_unknown'])
    }
    expect(await events()).toEqual(before)
    for (const [client_id, app_name] of [
      [world.clientId, APP],
      [world.sdkId, 'other'],
    ])
      expect((await call(world, 'start', { client_id, app_name })).status).toBe(200)
  })

  test('the page names the application and its power, warns, and asks for the code that only the response to the starter contains', async () => {
    const begun = await begin(world)
    expect(codeOf(begun)).not.toBe('')
    expect(String(begun.authorization_url)).not.toContain(codeOf(begun))
    const browser = await oauthBrowser(world.app, world.person)
    const html = await (await browser.get(pathOf(begun))).text()
    for (const text of ['Shop', APP, 'in your name', 'If another person sent you the link, deny it.', 'file:read', 'file:burn', 'name="user_code"'])
      expect(html).toContain(text)
    expect(html).not.toContain(codeOf(begun))
    const german = await world.app.request(pathOf(begun), { headers: { ...browser.jar.header(), 'accept-language': 'de' } })
    expect(await german.text()).toContain('in Ihrem Namen')
  })

  test.each([{}, { user_code: '' }, { user_code: 'AAAA-AAAA' }, { user_code: 'x' }])(
    'with %j nothing is authorized, and the page asks again',
    async (typed) => {
      const begun = await begin(world)
      const before = await authorizations()
      const { browser, answered } = await consent(begun, typed)
      const html = await answered.text()
      expect([answered.status, answered.headers.get('location'), html.includes('aria-invalid')]).toEqual([200, null, true])
      expect([await authorizations(), (await status(world, begun.session_id)).status]).toEqual([before, 'pending'])
      const right = await browser.press(pathOf(begun), html, 'allow', { user_code: codeOf(begun).toLowerCase().replace('-', ' ') })
      const back = new URL(right.headers.get('location') ?? 'about:blank')
      expect((await call(world, 'callback', answerOf(back))).status).toBe(200)
    },
  )

  test('the code of another session does not count', async () => {
    const [mine, theirs] = [await begin(world), await begin(world)]
    expect((await consent(mine, { user_code: codeOf(theirs) })).answered.status).toBe(200)
  })

  test('the fifth wrong code closes the session, also when they come at once', async () => {
    const begun = await begin(world)
    const before = await authorizations()
    const pages = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const browser = await oauthBrowser(world.app, world.person)
        return { browser, html: await (await browser.get(pathOf(begun))).text() }
      }),
    )
    const answers = await Promise.all(pages.map(({ browser, html }) => browser.press(pathOf(begun), html, 'allow', { user_code: 'AAAA-AAAA' })))
    expect(answers.filter(({ status: code }) => code === 200).length).toBeLessThan(5)
    for (const answer of answers.filter(({ status: code }) => code !== 200))
      expect(new URL(answer.headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied')
    const late = await oauthBrowser(world.app, world.person)
    expect(new URL((await late.get(pathOf(begun))).headers.get('location') ?? '').searchParams.get('error')).toBe('access_denied')
    expect(await authorizations()).toBe(before)
    expect((await events()).filter(({ reason }) => reason === 'wrong_code')).toHaveLength(1)
    expect((await status(world, begun.session_id)).status).not.toBe('authenticated')
  })

  test('a code that was issued without the typed code authenticates nothing', async () => {
    const begun = await begin(world)
    const back = await authorize(world, begun)
    await atomically(forTenant(world.app.db, world.company.tenantId), (t) =>
      t.run({
        text: 'update authsec.mcp_sessions set confirmed_by = null where id_hash = $1',
        params: [sha256(String(begun.session_id))],
        arrays: true,
      }),
    )
    const { status: code, body } = await call(world, 'callback', answerOf(back))
    expect([code, body.code]).toEqual([401, 'mcp_code_refused'])
  })

  test('an authorization request whose state names no session of the client gets no page', async () => {
    const other = await newServer(world.app, world.company)
    const begun = await begin(world)
    const browser = await oauthBrowser(world.app, world.person)
    for (const change of [{ state: 'x' }, { client_id: other.clientId }]) {
      const url = new URL(String(begun.authorization_url))
      for (const [name, value] of Object.entries(change)) url.searchParams.set(name, value)
      const back = new URL((await browser.get(`${url.pathname}${url.search}`)).headers.get('location') ?? 'about:blank')
      expect([back.pathname, back.searchParams.get('error')]).toEqual(['/sdkmgr/mcp-auth/callback', 'access_denied'])
    }
  })

  test('the session carries the permissions that the tools name, while the person holds them, and no others', async () => {
    const own = await start()
    await grantRole(own, 'treasurer', ['file:read', 'money:spend'])
    await declare(own, { user_tools: ['anyone', { name: 'read', rbac: { permissions: ['file:read'] } }] })
    const { begun, answer } = await signIn(own)
    expect(answer.body.user_info).toMatchObject({ permissions: ['file:read'], scopes: ['file:read'], resources: ['file'], roles: ['treasurer'] })
    // What a later rule names, the person was not shown.
    await declare(own, {
      user_tools: [
        { name: 'read', rbac: { permissions: ['file:read'] } },
        { name: 'spend', rbac: { resources: ['money'] } },
      ],
    })
    const allowed = async (session: unknown, tool: string) => (await protect(own, session, tool)).allowed
    expect([await allowed(begun.session_id, 'read'), await allowed(begun.session_id, 'spend')]).toEqual([true, false])
    const next = (await signIn(own)).begun.session_id
    expect([await allowed(next, 'read'), await allowed(next, 'spend')]).toEqual([true, true])
  })
})

describe('tools', () => {
  test('rules are stored with the server\u2019s credential and evaluated against the person\u2019s current access', async () => {
    const world = await start()
    const { body } = await declare(world)
    const tools = body.tools as unknown as readonly { name: string; description: string; inputSchema: Body }[]
    expect(tools.map(({ name }) => name)).toEqual(expect.arrayContaining(['oauth_start', 'oauth_user_info', 'anyone', 'read']))
    expect(tools.find(({ name }) => name === 'anyone')).toEqual({
      name: 'anyone',
      description: 'Protected tool: anyone',
      inputSchema: { type: 'object', properties: { session_id: expect.objectContaining({ type: 'string' }) } },
    })
    const { session_id } = (await signIn(world)).begun
    const allowed = async () => {
      const answers = await Promise.all(
        ['anyone', 'read', 'both', 'either', 'any-file', 'undeclared'].map((tool) => protect(world, session_id, tool)),
      )
      return answers.map((answer) => answer.allowed)
    }
    expect(await allowed()).toEqual([true, false, false, false, false, false])
    await grantRole(world, 'reader', ['file:read'])
    expect(await allowed()).toEqual([true, true, false, false, true, false])
    await grantRole(world, 'librarian', ['shelf:move'])
    expect(await allowed()).toEqual([true, true, true, true, true, false])
    expect(await protect(world, session_id, 'read')).toMatchObject({
      allowed: true,
      tool: 'read',
      session_id,
      user_info: { user_id: world.person.id },
    })
    expect(await protect(world, undefined, 'read')).toEqual({ allowed: false, error: 'Access denied', message: expect.any(String) })
  })

  test.each([AT, '/sdkmgr/mcp-auth'])('at %s a null session id means that the SDK has no session yet', async (at) => {
    const world = await start()
    const request = { client_id: `${world.sdkId}-main-client`, app_name: APP, session_id: null }
    const listed = await call(world, `${at}/tools/list`, { ...request, user_tools: ['anyone'] })
    expect(listed).toMatchObject({ status: 200, body: { tools: expect.arrayContaining([expect.objectContaining({ name: 'oauth_start' })]) } })
    const verdict = await call(world, `${at}/protect-tool`, { ...request, tool_name: 'anyone' })
    expect(verdict).toMatchObject({ status: 200, body: { allowed: false, error: expect.any(String), message: expect.any(String) } })
    const started = await call(world, `${at}/start`, { client_id: request.client_id, app_name: APP, return_url: '' })
    expect(started).toMatchObject({ status: 200, body: { return_url: null } })
  })

  test('without the server\u2019s credential no rule is stored and every tool is denied', async () => {
    const world = await start()
    await declare(world)
    const { session_id } = (await signIn(world)).begun
    const open = { client_id: world.clientId, app_name: APP }
    const { body } = await call(world, 'tools/list', { ...open, user_tools: [{ name: 'burn', rbac: {} }] })
    expect(JSON.stringify(body)).toContain('"burn"')
    expect((await protect(world, session_id, 'burn')).allowed).toBe(false)
    expect((await protect(world, session_id, 'anyone', { client_id: world.clientId })).allowed).toBe(false)
    expect((await protect(world, session_id, 'anyone', { client_id: `${world.clientId}~${'0'.repeat(64)}` })).allowed).toBe(false)
    expect((await protect(world, session_id, 'anyone', { app_name: 'other' })).allowed).toBe(false)
    const stranger = await newServer(world.app, world.company)
    expect((await protect(world, session_id, 'anyone', { client_id: stranger.sdkId })).allowed).toBe(false)
    const foreign = await newServer(world.app, await world.app.company('globex'))
    expect((await protect(world, session_id, 'anyone', { client_id: foreign.sdkId })).allowed).toBe(false)
    expect((await protect(world, session_id, 'anyone')).allowed).toBe(true)
  })

  test('the configuration can hide unauthorized tools and require a session id', async () => {
    const world = await start({
      AUTHSEC_HIDE_UNAUTHORIZED_TOOLS: 'on',
      AUTHSEC_ALWAYS_EXPOSE_PROTECTED_TOOLS: 'off',
      AUTHSEC_REQUIRE_SESSION_ID: 'on',
    })
    const names = async (more: Body = {}) =>
      ((await declare(world, more)).body.tools as unknown as readonly { name: string; inputSchema: Body }[]).filter(
        ({ name }) => !name.startsWith('oauth_'),
      )
    expect(await names()).toEqual([])
    const { session_id } = (await signIn(world)).begun
    const seen = await names({ session_id })
    expect(seen.map(({ name }) => name)).toEqual(['anyone'])
    expect(seen[0]?.inputSchema.required).toEqual(['session_id'])
  })

  test('the built-in sign-in tools answer as text; other tools cannot be called here', async () => {
    const world = await start()
    const tool = async (name: string, given: Body) => {
      const { status: code, body } = await call(world, `tools/call/${name}`, { client_id: world.clientId, app_name: APP, arguments: given })
      const [content] = (body.content ?? []) as unknown as readonly { text: string }[]
      return { code, said: content === undefined ? body : JSON.parse(content.text) }
    }
    expect(await tool('oauth_start', {})).toMatchObject({ code: 404, said: { code: 'mcp_client_unknown' } })
    await declare(world)
    const { said: begun } = await tool('oauth_start', {})
    expect(begun).toMatchObject({ status: 'ready_for_authentication' })
    const token = await world.app.token(world.person)
    expect((await tool('oauth_authenticate', { jwt_token: token, session_id: begun.session_id })).said).toMatchObject({ status: 'authenticated' })
    expect((await tool('oauth_user_info', { session_id: begun.session_id })).said).toMatchObject({ user_id: world.person.id })
    expect((await tool('oauth_user_roles', { session_id: begun.session_id })).said).toEqual({ roles: [] })
    expect((await tool('oauth_user_info', {})).said).toMatchObject({ error: 'not_authenticated' })
    expect((await tool('oauth_logout', { session_id: begun.session_id })).said).toEqual({ status: 'logged_out' })
    expect((await tool('oauth_status', { session_id: begun.session_id })).said).toMatchObject({ status: 'expired' })
    for (const name of ['read', 'oauth_x', 'constructor', '__proto__']) expect((await tool(name, {})).code).toBe(400)
  })

  test('only the server ends all its sessions', async () => {
    const world = await start()
    await declare(world)
    const { session_id } = (await signIn(world)).begun
    const clean = (client_id: string, app_name = APP) => call(world, 'cleanup-sessions', { client_id, app_name })
    expect((await clean(world.clientId)).body.code).toBe('client_unauthenticated')
    expect((await clean((await newServer(world.app, world.company)).sdkId)).body).toMatchObject({ sessions_cleaned: 0 })
    expect((await protect(world, session_id, 'anyone')).allowed).toBe(true)
    expect((await clean(world.sdkId)).body).toEqual({
      status: 'cleaned',
      client_id: world.clientId,
      app_name: APP,
      reason: 'server_shutdown',
      sessions_cleaned: 1,
    })
    expect((await protect(world, session_id, 'anyone')).allowed).toBe(false)
  })

  test('an administrator sees the number of authenticated sessions of their own tenant only', async () => {
    const world = await start()
    await signIn(world)
    const count = async (person: Person) =>
      (await world.app.request('/sdkmgr/mcp-auth/sessions/status', { token: await world.app.token(person) })).json()
    expect(await count(world.company.admin)).toEqual({ active_authenticated_sessions: 1 })
    expect(await count((await world.app.company('globex')).admin)).toEqual({ active_authenticated_sessions: 0 })
  })
})
