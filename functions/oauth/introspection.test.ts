// Introspection, revocation, consents and userinfo.
import { SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { basicOf, changeClient, claimsOf, codeFor, newOauthClient, newResource, oauthBrowser, postForm, VERIFIER } from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const start = async (db = openDb) => {
  const counted = countedDb((await testDb()).engine)
  const app = await startApp(oauthRoutes, { render: authorizationServerError, db: db === openDb ? counted.db : db(counted.db.engine) })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read' }])
  const client = await newOauthClient(app, company, { at: [server] })
  const ofClient = async () =>
    (await (await postForm(app, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: client.authorization })).json())
      .access_token as string
  const introspect = (token: string, authorization = server.authorization, more = {}) =>
    postForm(app, '/oauth/introspect', { token, ...more }, { authorization })
  const revoke = (token: string, authorization = client.authorization, more = {}) =>
    postForm(app, '/oauth/revoke', { token, ...more }, { authorization })
  return { app, company, server, client, ofClient, introspect, revoke, counted }
}

describe('Introspection request (RFC 7662 section 2.1)', () => {
  test('A caller that is not a resource server is refused', async () => {
    const { app, server, client, company, ofClient, introspect } = await start()
    const token = await ofClient()
    const globex = await newResource(app, await app.company('globex'), [])
    for (const authorization of [
      basicOf(server.id, 'x'),
      client.authorization,
      basicOf(server.id, globex.secret),
      basicOf(app.ctx.random.id(), server.secret),
      basicOf(server.id, `${company.tenantId}.${'A'.repeat(43)}`),
      `Bearer ${token}`,
    ]) {
      const response = await introspect(token, authorization)
      expect([response.status, (await response.json()).error]).toEqual([401, 'invalid_client'])
    }
    const empty = await introspect('')
    expect([empty.status, (await empty.json()).error]).toEqual([400, 'invalid_request'])
  })
})

describe('Introspection response (RFC 7662 section 2.2)', () => {
  test('A token is active only for the resource server in its audience; to any other it is inactive', async () => {
    const { app, company, client, server, ofClient, introspect } = await start()
    const token = await ofClient()
    const described = await (await introspect(token)).json()
    expect(described).toMatchObject({
      active: true,
      sub: client.id,
      subject_type: 'service_account',
      client_id: client.id,
      aud: [server.resource],
      scope: 'tools:read',
      tenant_id: company.tenantId,
      service_account_id: expect.any(String),
    })
    const other = await newResource(app, company, [{ name: 'tools:read' }])
    const foreign = await newResource(app, await app.company('globex'), [])
    for (const caller of [other, foreign]) expect(await (await introspect(token, caller.authorization)).json()).toEqual({ active: false })
    for (const invalid of [
      `${token.slice(0, -8)}AAAAAAAA`,
      'x',
      `${token}.`,
      token.replace(/^[^.]+/, Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')),
    ]) {
      expect(await (await introspect(invalid)).json()).toEqual({ active: false })
    }
    app.clock.advance(300)
    expect(await (await introspect(token)).json()).toEqual({ active: false })
  })

  test('A token of another type, issuer or signing algorithm is inactive', async () => {
    const { app, company, client, server, ofClient, introspect } = await start()
    const claims = claimsOf(await ofClient())
    const { kid, key } = await app.ctx.signingKeys.signer('ES256')
    const rsa = await app.ctx.signingKeys.signer('RS256')
    const sign = (header: object, more = {}, by = key) =>
      new SignJWT({ ...claims, ...more }).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt', ...header } as never).sign(by)
    expect(await (await introspect(await sign({}))).json()).toMatchObject({ active: true })
    const tokens = [
      await sign({ typ: 'JWT' }),
      await sign({ typ: 'session+jwt' }),
      await sign({ alg: 'RS256', kid: rsa.kid }, {}, rsa.key),
      await sign({}, { iss: 'https://evil.example' }),
      await sign({}, { aud: [server.resource] }),
      await sign({}, { aud: 'https://other.example.com' }),
      await sign({}, { client_id: app.ctx.random.id() }),
      await sign({}, { tenant_id: (await app.company('globex')).tenantId }),
      await sign({}, { scope: 'tools:read tools:none' }),
      await app.token(company.admin),
    ]
    for (const token of tokens) expect(await (await introspect(token)).json()).toEqual({ active: false })
    expect(client.id).toBe(claims.client_id)
  })

  test('An introspection costs one statement', async () => {
    const { ofClient, introspect, counted } = await start()
    const token = await ofClient()
    expect(await counted.during(() => introspect(token))).toEqual({ statements: 1, roundTrips: 1 })
  })
})

describe('Refreshing an access token (RFC 6749 section 6)', () => {
  test('A refresh costs two statements', async () => {
    const { app, company, client, counted } = await start()
    const code = await codeFor(await oauthBrowser(app, await app.person(company)), client, { scope: 'tools:read' })
    const headers = { authorization: client.authorization }
    const set = await (await postForm(app, '/oauth/token', { grant_type: 'authorization_code', code, code_verifier: VERIFIER }, headers)).json()
    const refresh = () => postForm(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token: set.refresh_token }, headers)
    expect(await counted.during(refresh)).toEqual({ statements: 2, roundTrips: 2 })
  })
})

describe('Token revocation (RFC 7009 section 2)', () => {
  test('A client can revoke only its own tokens, and every token gets the same response', async () => {
    const { app, company, client, server, ofClient, introspect, revoke } = await start()
    const other = await newOauthClient(app, company, { at: [server] })
    const token = await ofClient()
    for (const response of [await revoke(token, other.authorization), await revoke('x'), await revoke(token.slice(1))])
      expect(response.status).toBe(200)
    expect(await (await introspect(token)).json()).toMatchObject({ active: true })
    expect((await revoke(token, client.authorization, { token_type_hint: 'refresh_token' })).status).toBe(200)
    expect(await (await introspect(token)).json()).toEqual({ active: false })
    const anonymous = await postForm(app, '/oauth/revoke', { token, client_id: client.id })
    expect([anonymous.status, (await anonymous.json()).error]).toEqual([401, 'invalid_client'])
  })

  test('Revoking the refresh token revokes every token of the authorization', async () => {
    const { app, company, client, server, introspect, revoke } = await start()
    const other = await newOauthClient(app, company, { at: [server] })
    const code = await codeFor(await oauthBrowser(app, await app.person(company)), client, { scope: 'tools:read' })
    const set = await (
      await postForm(
        app,
        '/oauth/token',
        { grant_type: 'authorization_code', code, code_verifier: VERIFIER },
        { authorization: client.authorization },
      )
    ).json()
    await revoke(set.refresh_token, other.authorization)
    expect(await (await introspect(set.access_token)).json()).toMatchObject({ active: true })
    await revoke(set.refresh_token)
    expect(await (await introspect(set.access_token)).json()).toEqual({ active: false })
    expect((await app.events(company.tenantId, { event: 'oauth.authorization_revoked' })).length).toBe(1)
  })

  test('A person can list and revoke only their own consents', async () => {
    const { app, company, client, server, introspect } = await start()
    const [person, other] = [await app.person(company), await app.person(company)]
    const code = await codeFor(await oauthBrowser(app, person), client, { scope: 'tools:read' })
    const set = await (
      await postForm(
        app,
        '/oauth/token',
        { grant_type: 'authorization_code', code, code_verifier: VERIFIER },
        { authorization: client.authorization },
      )
    ).json()
    const token = await app.token(person)
    const { consent_grants: grants } = await (await app.request('/oauth/consent-grants', { token })).json()
    expect(grants).toMatchObject([{ client_id: client.id, client_name: 'Shop', resource: server.resource, scopes: ['tools:read'] }])
    const path = `/oauth/consent-grants/${grants[0].id}`
    expect((await app.request(path, { method: 'DELETE', token: await app.token(other) })).status).toBe(404)
    expect(await (await introspect(set.access_token)).json()).toMatchObject({ active: true })
    expect((await app.request(path, { method: 'DELETE', token })).status).toBe(204)
    expect(await (await introspect(set.access_token)).json()).toEqual({ active: false })
    expect(await (await app.request('/oauth/consent-grants', { token })).json()).toEqual({ consent_grants: [] })
  })
})

describe('UserInfo endpoint (OpenID Connect Core section 5.3)', () => {
  test('Userinfo needs an active token of a person with the scope openid', async () => {
    const { app, company, client, ofClient } = await start()
    const browser = await oauthBrowser(app, await app.person(company))
    const get = (token: string) => app.request('/oauth/userinfo', { token })
    const redeem = async (scope: string) => {
      const code = await codeFor(browser, client, { scope })
      return (
        await (
          await postForm(
            app,
            '/oauth/token',
            { grant_type: 'authorization_code', code, code_verifier: VERIFIER },
            { authorization: client.authorization },
          )
        ).json()
      ).access_token as string
    }
    const full = await redeem('openid profile email')
    expect((await get(full)).status).toBe(200)
    for (const token of [await redeem('tools:read'), await ofClient()]) {
      const response = await get(token)
      expect([response.status, (await response.json()).error]).toEqual([403, 'insufficient_scope'])
      expect(response.headers.get('www-authenticate')).toMatch(/error="insufficient_scope", scope="openid"/)
    }
    const invalid = await app.request('/oauth/userinfo')
    expect([invalid.status, invalid.headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="authsec"'])
    const session = await get(await app.token(company.admin))
    expect(session.headers.get('www-authenticate')).toBe('Bearer realm="authsec", error="invalid_token"')
    await changeClient(app, company, client.id, { active: false })
    expect((await get(full)).status).toBe(401)
  })
})
