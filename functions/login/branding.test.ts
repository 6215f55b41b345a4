import { expect, test } from 'vitest'
import { contrast, inkOn, READABLE, readableOn } from '#shared/platform/pages/contrast'
import { pageError } from '#shared/platform/pages/error.tsx'
import { initialsOf } from '#shared/platform/pages/hosted.tsx'
import { startApp } from '#tests/support/app'
import { openBrowser, signInQueryOf } from '#tests/support/browser'
import { bodyOf, eventsOf } from '#tests/support/sign-in'
import { loginRoutes } from './routes.ts'

const PNG = `data:image/png;base64,${Buffer.concat([Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), Buffer.alloc(20)]).toString('base64')}`
const PLAIN = { brand: null, radius: null, logo: null }
const start = async () => {
  const app = await startApp(loginRoutes, { render: pageError })
  const company = await app.company()
  return { app, company, token: await app.token(company.admin, ['pwd', 'otp']) }
}

test.each(['#ffff00', '#ffffff', '#000000', '#7f7f7f', '#2f5bea', '#ff0000', '#00ff88'])('%s is corrected until it has enough contrast', (colour) => {
  for (const grounds of [
    ['#ffffff', '#f6f7f9'],
    ['#171a20', '#0e1014'],
  ]) {
    const readable = readableOn(colour, grounds)
    for (const ground of grounds) expect(contrast(readable, ground)).toBeGreaterThanOrEqual(READABLE)
    expect(contrast(inkOn(readable), readable)).toBeGreaterThanOrEqual(READABLE)
  }
})

test('a company\u2019s colours, radius and logo appear on its own pages only', async () => {
  const { app, company, token } = await start()
  const saved = await app.request('/branding', { method: 'PUT', token, body: { brand: '#0f5b31', brand_ink: '#ffffff', radius: 4, logo: PNG } })
  expect(saved.status).toBe(200)
  expect(await bodyOf(saved)).toMatchObject({ brand: '#0f5b31', brand_ink: '#ffffff', radius: 4, logo: PNG })
  expect(await bodyOf(await app.request('/branding', { token }))).toMatchObject({ brand: '#0f5b31', logo: PNG, notes: [] })
  const page = await openBrowser(app).read(signInQueryOf(company))
  expect(page.html).toContain(`<img src="${PNG}" alt=""/>`)
  expect(page.html).toContain(':root{--brand:#0f5b31;--brand-ink:#ffffff;--radius:4px;}')
  const globex = await app.company('globex')
  expect((await openBrowser(app).read(signInQueryOf(globex))).html).not.toContain('#0f5b31')
  expect(await eventsOf(app, company.tenantId, 'login.saveBranding')).toEqual(['tenant.branding_changed'])
})

test('mails carry the company\u2019s colour and logo; the mails of another company carry neither', async () => {
  const { app, company, token } = await start()
  await app.request('/branding', { method: 'PUT', token, body: { brand: '#0f5b31', brand_ink: '#ffffff', radius: 4, logo: PNG } })
  const globex = await app.company('globex')
  const mailTo = async (of: typeof company) => {
    const browser = openBrowser(app)
    await browser.read(`/recover?client_id=${of.clientId}`)
    await browser.send({ email: of.admin.email })
    return (await app.mailsTo(of.admin.email)).at(-1)
  }
  const own = await mailTo(company)
  expect(own?.html).toMatch(/border-top:4px solid #0f5b31;border-radius:4px/)
  expect(own?.html).toContain('<img src="cid:logo"')
  expect(own?.logo).toEqual({ type: 'image/png', content: new Uint8Array(Buffer.from(PNG.split(',')[1] ?? '', 'base64')) })
  const theirs = await mailTo(globex)
  expect(theirs?.html).toContain('border-top:4px solid #2f5bea')
  expect(theirs?.html).not.toMatch(/<img|#0f5b31/)
  expect(theirs).not.toHaveProperty('logo')
})

test('without a logo the page shows the initials of the company', async () => {
  const { app, company } = await start()
  const page = await openBrowser(app).read(signInQueryOf(company))
  expect(page.html).toMatch(/<span class="initials" aria-hidden="true">[\p{Lu}\p{N}]{1,2}<\/span>/u)
  expect([
    initialsOf('Acme'),
    initialsOf('acme trading gmbh'),
    initialsOf('  \u202e! '),
    initialsOf('\u00e9cole nationale'),
    initialsOf('id.example.com'),
  ]).toEqual(['A', 'AT', '', '\u00c9N', 'IE'])
})

test('an unreadable colour is corrected, and the reply notes the correction', async () => {
  const { app, token } = await start()
  const body = await bodyOf(await app.request('/branding', { method: 'PUT', token, body: { ...PLAIN, brand: '#ffff00', brand_ink: '#ffffee' } }))
  expect(body.notes).toHaveLength(1)
  expect(contrast(String(body.brand), '#ffffff')).toBeGreaterThanOrEqual(READABLE)
  expect(contrast(String(body.brand_ink), String(body.brand))).toBeGreaterThanOrEqual(READABLE)
})

test('a logo that is not an image, is too large or is a document is refused, and nothing changes', async () => {
  const { app, company, token } = await start()
  for (const logo of [
    'data:image/svg+xml;base64,PHN2Zy8+',
    'https://evil.example/logo.png',
    `data:image/png;base64,${Buffer.from('<html>').toString('base64')}`,
    `data:image/png;base64,${'A'.repeat(30_000)}`,
  ]) {
    const answer = await app.request('/branding', { method: 'PUT', token, body: { ...PLAIN, logo } })
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([400, 'invalid_request'])
  }
  for (const brand of ['red', '#fff', '#12345g', '#123456;}body{display:none']) {
    expect((await app.request('/branding', { method: 'PUT', token, body: { ...PLAIN, brand } })).status).toBe(400)
  }
  expect(await eventsOf(app, company.tenantId, 'login.saveBranding')).toEqual([])
})
