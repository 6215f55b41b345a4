// A running system over HTTP with a company, and a person who goes through its pages as a browser without scripts does.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { beginSession, mintToken } from '#shared/domains/sign-in/session'
import { createTenant } from '#shared/domains/tenancy/create-tenant'
import { bySystem } from '#shared/platform/audit/audit-log'
import { start } from '../../apps/local/local.ts'
import { cookieJar, PASSWORD } from '../support/app.ts'
import type { Where } from '../support/oauth.ts'
import { freePort } from './free-port.ts'
import { unmetChecks } from './unmet-checks.ts'

const WITHOUT_REQUEST = {
  id: 'peer',
  address: '127.0.0.1',
  userAgent: 'peer',
  method: 'POST',
  page: '/',
  origin: undefined,
  host: 'localhost',
  secure: false,
  place: '',
  route: 'peer',
  cookie: () => undefined,
  header: () => undefined,
}

const unescaped = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"').replaceAll('&#39;', "'")

/** The fields of a page's first form that already have a value, and its action. */
const formIn = (html: string, at: string) => {
  // Every page has a language form in its footer.
  const form = /<form[^>]*method="post"[\s\S]*?<\/form>/.exec(html.replace(/<footer[\s\S]*?<\/footer>/, ''))?.[0] ?? ''
  const action = unescaped(/action="([^"]*)"/.exec(form)?.[1] ?? at)
  const inputs = [...form.matchAll(/<input[^>]*>/g)].map(([tag]) => ({
    name: /name="([^"]*)"/.exec(tag)?.[1] ?? '',
    value: unescaped(/value="([^"]*)"/.exec(tag)?.[1] ?? ''),
  }))
  const yes = ['allow', 'approve', 'sign_out'].find((value) => form.includes(`value="${value}"`))
  return { action, fields: new Map(inputs.map(({ name, value }) => [name, value])), yes: form.includes('name="decision"') ? yes : undefined }
}

export const startAuthorizationServer = async (env: Readonly<Record<string, string>> = {}) => {
  const folder = await mkdtemp(join(tmpdir(), 'peers-'))
  const port = await freePort()
  const issuer = `http://127.0.0.1:${port}`
  const running = await start(
    { ENVIRONMENT: 'test', PORT: String(port), BASE_URL: issuer, DATA_DIR: folder, RATE_LIMIT: 'off', ...env },
    () => undefined,
  )
  const { ctx } = running
  const tenantId = asTenantId(ctx.random.id())
  const name = `peers-${tenantId.slice(-8)}`
  const domain = `${name}.${ctx.config.TENANT_DOMAIN_SUFFIX}`
  const email = `admin@${name}.example`
  const passwordHash = await ctx.passwords.hash(PASSWORD)
  await atomically(forTenant(ctx.db, tenantId), (t) =>
    createTenant(t, ctx, {
      name,
      domain,
      actor: bySystem,
      admin: { email, name: 'Ada', passwordHash, provedAt: ctx.clock.now() },
    }),
  )
  const where: Where = { ctx, db: ctx.db }

  /**
   * Follows every redirect, signs in and allows; returns the address outside our origin, or the page that has no further step. Fields of a form that goes outside
   * are in the fragment.
   */
  const walk = async (address: string, jar = cookieJar()): Promise<URL> => {
    const call = async (path: URL, body?: URLSearchParams): Promise<Response> => {
      const headers = {
        ...jar.header(),
        ...(body === undefined ? {} : { origin: issuer, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', 'sec-fetch-user': '?1' }),
      }
      const response = await unmetChecks(path, { redirect: 'manual', headers, ...(body === undefined ? {} : { method: 'POST', body }) })
      jar.take(response)
      return response
    }
    let at = new URL(address)
    let response = await call(at)
    for (let steps = 0; steps < 20; steps++) {
      const location = response.headers.get('location')
      if (location !== null) {
        at = new URL(location, issuer)
        if (at.origin !== issuer) return at
        response = await call(at)
        continue
      }
      const { action, fields, yes } = formIn(await response.text(), at.href)
      if (fields.has('email')) fields.set('email', email)
      if (fields.has('password')) fields.set('password', PASSWORD)
      if (yes !== undefined) fields.set('decision', yes)
      if (fields.size === 0 && at.pathname.endsWith('/done')) return at
      if (fields.size === 0) throw new Error(`no form at ${at.pathname}: ${response.status}`)
      at = new URL(action, issuer)
      if (at.origin !== issuer) return new URL(`#${new URLSearchParams([...fields])}`, at)
      response = await call(at, new URLSearchParams([...fields]))
    }
    throw new Error('the pages do not end')
  }

  const calls = async (path: string, init: { readonly token?: string; readonly body?: unknown } = {}): Promise<Readonly<Record<string, unknown>>> => {
    const headers = {
      accept: 'application/json',
      ...(init.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(init.token === undefined ? {} : { authorization: `Bearer ${init.token}` }),
    }
    const sent = init.body === undefined ? {} : { method: 'POST', body: JSON.stringify(init.body) }
    return (await (await unmetChecks(`${issuer}${path}`, { headers, ...sent })).json()) as Readonly<Record<string, unknown>>
  }

  /** Registers a phone of the person that approves every request. */
  const newPhone = async () => {
    const { user } = await atomically(forTenant(ctx.db, tenantId), async (t) => ({ user: await findUserByEmail(t, email) }))
    if (user === undefined) throw new Error('no person')
    const request = { ...WITHOUT_REQUEST, emits: ['session.created', 'user.signed_in'] as const }
    const own = { ...ctx, request }
    const startedSession = await atomically(forTenant(ctx.db, tenantId), (t) =>
      beginSession(t, own, { user, clientId: undefined, amr: ['pwd'], authTime: ctx.clock.now() }),
    )
    const { token } = await mintToken(own, startedSession)
    const pushToken = `phone-${ctx.random.id()}`
    await calls('/authsec/uflow/auth/ciba/register-device', { token, body: { device_token: pushToken, platform: 'android' } })
    return {
      approve: async (): Promise<void> => {
        const { messages } = (await calls('/local/outbox')) as {
          readonly messages: readonly { readonly to: string; readonly data?: { readonly auth_req_id: string } }[]
        }
        const asked = messages.find(({ to }) => to === pushToken)?.data?.auth_req_id
        await calls('/authsec/uflow/auth/ciba/respond', { token, body: { auth_req_id: asked, approved: true } })
      },
    }
  }

  return {
    issuer,
    where,
    newPhone,
    company: { tenantId, domain },
    email,
    walk,
    stop: async (): Promise<void> => {
      await running.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
export type AuthorizationServer = Awaited<ReturnType<typeof startAuthorizationServer>>
