// A change that one statement writes can be delayed before it is sent: by a connection, a pooler, a suspended server. Followers of the audit log wait for less than that.
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { AUDIT_WRITE_SECONDS } from '#db/store/audit-events'
import { lowestIdAt } from '#shared/kernel/random'
import { AUDIT_SETTLING_SECONDS } from '#shared/platform/audit/watermark'
import { authRoutes } from '../functions/auth/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { startApp } from './support/app.ts'
import { interruptedDb } from './support/interrupted.ts'
import { authorizePath, codeFor, newOauthClient, oauthBrowser, postForm, VERIFIER } from './support/oauth.ts'

const start = async () => {
  const { db, before } = await interruptedDb()
  const app = await startApp([...authRoutes, ...oauthRoutes], { db })
  const company = await app.company()
  const { admin } = company
  const client = await newOauthClient(app, company)
  const browser = await oauthBrowser(app, admin)
  const code = () => codeFor(browser, client, { scope: 'openid' })
  const redeem = async () => {
    const form = { grant_type: 'authorization_code', code: await code(), code_verifier: VERIFIER }
    return () => postForm(app, '/oauth/token', form, { authorization: client.authorization })
  }
  const login = { body: { email: admin.email, password: admin.password } }
  return {
    app,
    company,
    before,
    prepared: {
      'user.signed_in': async () => () => app.request('/authsec/uflow/auth/admin/login', login),
      'oauth.authorized': async () => {
        await code()
        return () => browser.get(authorizePath(client, { scope: 'openid' }))
      },
      'oauth.tokens_issued': redeem,
    },
  }
}

test.each(['user.signed_in', 'oauth.authorized', 'oauth.tokens_issued'] as const)('a delayed %s gets a new id and is written once', async (event) => {
  const { app, company, before, prepared } = await start()
  // Once without a delay, so that the data key of the audit log is cached.
  await (await prepared[event]())()
  const step = await prepared[event]()
  const known = (await app.events(company.tenantId, { event })).length
  let waited = false
  before(async () => {
    waited = true
    app.clock.advance(AUDIT_SETTLING_SECONDS)
    await sleep(AUDIT_WRITE_SECONDS * 1000 + 50)
  }, /insert into authsec\.audit_events/)
  expect((await step()).status).toBeLessThan(400)
  const events = await app.events(company.tenantId, { event })
  expect([waited, events.length]).toEqual([true, known + 1])
  expect((events[0]?.id ?? '') >= lowestIdAt(app.clock.now())).toBe(true)
})
