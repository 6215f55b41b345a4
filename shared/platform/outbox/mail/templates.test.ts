import { describe, expect, test } from 'vitest'
import { mailLanguageOf } from './language.ts'
import type { MailContent, MailTemplate } from './mail-data.ts'
import { renderMail } from './templates.ts'

const hostile = `<script>alert(1)</script>"'&\r\nBcc: eve@evil.test\u202e\u0000\ud800 https://evil.test/x`
const request = { at: new Date('2026-03-04T05:06:07Z'), device: 'Firefox on Linux', address: '192.0.2.7' }
const hostileAsked = { ...request, device: hostile, address: hostile }

const contents = (word: string, where: typeof request): { readonly [K in MailTemplate]: Extract<MailContent, { readonly template: K }> } => ({
  registration_code: { template: 'registration_code', data: { code: '123456', minutes: 30, domain: word, requestOrigin: where } },
  user_registration_code: { template: 'user_registration_code', data: { code: '123456', minutes: 10, requestOrigin: where } },
  password_reset_code: { template: 'password_reset_code', data: { code: '123456', minutes: 30, requestOrigin: where } },
  password_changed: { template: 'password_changed', data: { requestOrigin: where } },
  email_change_code: { template: 'email_change_code', data: { code: '123456', minutes: 30, requestOrigin: where } },
  email_change_notice: { template: 'email_change_notice', data: { newEmail: word, agree: { code: '123456', minutes: 30 }, requestOrigin: where } },
  already_registered: { template: 'already_registered', data: { signInUrl: `https://id.test/login?q=${word}`, requestOrigin: where } },
  set_password_link: {
    template: 'set_password_link',
    data: { link: `https://id.test/set#${'x'.repeat(300)}`, hours: 24, purpose: 'invitation', invitedBy: word },
  },
  new_user_registered: { template: 'new_user_registered', data: { email: word, name: word, at: request.at } },
  account_locked: { template: 'account_locked', data: { until: new Date('2026-03-04T05:36:07Z'), requestOrigin: where } },
  new_device_sign_in: { template: 'new_device_sign_in', data: { requestOrigin: where } },
  tenant_deletion: { template: 'tenant_deletion', data: { stage: 'asked', on: request.at, restoreToken: word, restoreUrl: word } },
  tenant_deleted: { template: 'tenant_deleted', data: { at: request.at } },
  webhook_disabled: { template: 'webhook_disabled', data: { host: word, description: word, reason: 'failing', since: request.at } },
  resources_released: { template: 'resources_released', data: { domain: word, resources: [word], at: request.at } },
  domain_proof: { template: 'domain_proof', data: { stage: 'missing', domain: word, name: word, value: word, until: request.at } },
  provider_sign_in: { template: 'provider_sign_in', data: { change: 'linked', provider: word, requestOrigin: where } },
  provider_link_code: { template: 'provider_link_code', data: { code: '123456', minutes: 10, provider: word, requestOrigin: where } },
  mailbox_proof_code: { template: 'mailbox_proof_code', data: { code: '482913', minutes: 10, requestOrigin: where } },
  factor_added: { template: 'factor_added', data: { kind: 'totp', name: 'Phone', requestOrigin: where } },
  factors_taken_over: {
    template: 'factors_taken_over',
    data: { factors: [{ kind: 'webauthn', name: word }], backupCodesLost: true, at: where.at },
  },
  factor_removed: { template: 'factor_removed', data: { kind: 'webauthn', name: 'Laptop', left: 0, by: 'owner', requestOrigin: where } },
  passkey_copied: {
    template: 'passkey_copied',
    data: { for: 'owner', email: word, name: word, reviewUrl: 'https://id.test/me/method?id=1', requestOrigin: where },
  },
  passkey_alarm_cleared: { template: 'passkey_alarm_cleared', data: { name: word, by: 'administrator', requestOrigin: where } },
  factor_paused: { template: 'factor_paused', data: { kind: 'sms', until: where.at, requestOrigin: where } },
  backup_code_used: { template: 'backup_code_used', data: { left: 3, requestOrigin: where } },
  backup_codes_replaced: { template: 'backup_codes_replaced', data: { requestOrigin: where } },
  recovery_pass_issued: {
    template: 'recovery_pass_issued',
    data: { for: 'owner', email: 'ana@acme.example', issuedBy: 'ada@acme.example', minutes: 30, requestOrigin: where },
  },
  recovery_started: {
    template: 'recovery_started',
    data: { readyAt: where.at, cancelUrl: 'https://id.test/account/recovery#t', requestOrigin: where },
  },
  recovery_waiting: {
    template: 'recovery_waiting',
    data: { stage: 'waiting', readyAt: where.at, cancelUrl: 'https://id.test/account/recovery#t', requestOrigin: where },
  },
  recovery_code: { template: 'recovery_code', data: { code: '482913', minutes: 10, requestOrigin: where } },
  recovered: { template: 'recovered', data: { by: 'waiting', requestOrigin: where } },
  settings_weakened: {
    template: 'settings_weakened',
    data: { by: word, changes: [{ setting: 'admin_acr', before: 'aal3', after: word }], requestOrigin: where },
  },
  client_identity_changed: {
    template: 'client_identity_changed',
    data: { by: word, client: word, changed: ['redirect_uris', 'jwks'], people: 3, requestOrigin: where },
  },
  issuer_trusted: {
    template: 'issuer_trusted',
    data: { by: word, name: word, issuer: 'https://idp.partner.example.com', requestOrigin: where },
  },
  attestor_trusted: { template: 'attestor_trusted', data: { by: word, name: word, kind: 'github_actions', requestOrigin: where } },
  session_revoked_all: { template: 'session_revoked_all', data: { by: 'administrator', requestOrigin: where } },
})

const each = (word: string, where: typeof request) =>
  Object.values(contents(word, where)).flatMap((content) => (['en', 'de'] as const).map((language) => [content.template, language, content] as const))

describe.each(each('Ana', request))('%s in %s', (_template, language, content) => {
  const mail = renderMail(content, 'Acme', language)

  test('has a one-line subject, and text and HTML with the tenant’s name', () => {
    expect(mail.subject).toMatch(/^[^\r\n]{5,120}$/)
    expect(mail.text.startsWith('Acme\n\n')).toBe(true)
    expect(mail.html).toContain('>Acme</p>')
    expect(mail.html).toContain(`<html lang="${language}">`)
  })
  test('has no unfilled value', () => {
    expect(`${mail.subject}${mail.text}${mail.html}`).not.toMatch(/undefined|NaN|\[object|Invalid Date|null/)
  })
  test('loads no external resource', () => {
    expect(mail.html).not.toMatch(/<(img|script|link|iframe|object|video|form|table|style)|url\(|src=|@import/i)
    for (const [, href] of mail.html.matchAll(/href="([^"]*)"/g)) expect(href).toMatch(/^https:\/\/id\.test\//)
  })
  test('has the same words in text and HTML', () => {
    const words = mail.html
      .replace(/^[\s\S]*<body[^>]*>/, '')
      .replace(/<[^>]+>/g, ' ')
      .replaceAll('&#39;', "'")
      .split(/\s+/)
    for (const word of words) expect(mail.text).toContain(word)
  })
})

describe.each(each(hostile, hostileAsked))('%s in %s, with hostile values', (_template, language, content) => {
  const mail = renderMail(content, hostile, language)

  test('escapes them', () => {
    expect(mail.html).not.toMatch(/<script/i)
    const tags = [...mail.html.matchAll(/<\/?([a-z0-9!]+)([^>]*)>/gi)]
    for (const [whole, tag, attributes] of tags) {
      expect(['!doctype', 'html', 'head', 'meta', 'title', 'body', 'div', 'p', 'h1', 'span', 'br', 'a']).toContain(tag)
      for (const [, name] of (attributes ?? '').matchAll(/\s([a-z-]+)=/g))
        expect(['lang', 'charset', 'name', 'content', 'style', 'href']).toContain(name)
      if (tag !== 'a') expect(whole).not.toContain('evil')
    }
  })
  test('keeps them to one line and free of control and direction marks', () => {
    expect(mail.subject).not.toMatch(/[\p{Cc}\u202e]/u)
    expect(`${mail.text}${mail.html}`.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cs}\u202e]/u)
    expect(mail.text).not.toMatch(/^Bcc:/m)
    expect(mail.html).not.toMatch(/^Bcc:/m)
  })
})

test('a name that is a URL is no longer a link', () => {
  const mail = renderMail(contents('Ana', request).password_changed, 'Win https://evil.test//x hthttps://tps://evil.test')
  expect(`${mail.subject}${mail.text}${mail.html}`).not.toMatch(/\/\/evil|https:\/\//)
})

test('a long name is shortened between characters', () => {
  const mail = renderMail(contents('Ana', request).password_changed, '🙂'.repeat(500))
  expect(mail.text.split('\n')[0]).toBe('🙂'.repeat(80))
})

test.each(['registration_code', 'user_registration_code', 'password_reset_code', 'email_change_code', 'email_change_notice'] as const)(
  '%s has its code on a separate line, and not in the subject',
  (template) => {
    for (const language of ['en', 'de'] as const) {
      const mail = renderMail(contents('Ana', request)[template], 'Acme', language)
      expect(mail.text.split('\n').filter((line) => /^\d{6}$/.test(line))).toEqual(['123456'])
      expect(mail.subject).not.toMatch(/\d/)
    }
  },
)

test('a link is complete, and only http and https are clickable', () => {
  const link = `https://id.test/set?a=1&b=2#${'t'.repeat(3000)}`
  const invitation = (url: string) =>
    renderMail({ template: 'set_password_link', data: { link: url, hours: 1, purpose: 'platform_administrator' } }, 'Acme')
  expect(invitation(link).text.split('\n')).toContain(link)
  expect(invitation(link).html).toContain(`href="${link.replace('&', '&amp;')}"`)
  expect(invitation('javascript:alert(1)').html).not.toContain('href')
})

test('a notice without a code does not mention one', () => {
  const { requestOrigin: where } = contents('Ana', request).password_changed.data
  const mail = renderMail({ template: 'email_change_notice', data: { newEmail: 'new@acme.test', requestOrigin: where } }, 'Acme')
  expect(mail.text).toContain('new@acme.test')
  expect(mail.text).not.toMatch(/code/i)
})

test('times and counts follow the language', () => {
  const { account_locked: locked, registration_code: code } = contents('Ana', request)
  expect(renderMail(locked, 'Acme', 'en').text).toContain('4 March 2026 at 05:36 UTC')
  expect(renderMail(locked, 'Acme', 'de').text).toContain('4. März 2026 um 05:36 Uhr UTC')
  expect(renderMail({ ...code, data: { ...code.data, minutes: 1 } }, 'Acme', 'de').text).toContain('1 Minute lang')
})

test.each([
  ['de', 'de'],
  ['de-AT', 'de'],
  ['DE', 'de'],
  ['fr', 'en'],
  [undefined, 'en'],
  ['', 'en'],
  ['constructor', 'en'],
])('the language tag %s selects %s', (tag, language) => {
  expect(mailLanguageOf(tag)).toBe(language)
})
