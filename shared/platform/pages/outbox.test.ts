import { expect, test } from 'vitest'
import type { CapturedMail } from '#shared/platform/outbox/mail/local'
import { renderOutbox } from './outbox.tsx'

const mail = (n: number, words = 'Hello'): CapturedMail => ({
  to: `${n}@acme.test`,
  subject: `${words} ${n}`,
  text: `${words}\n\n${n}${n}${n}\n`,
  html: `<p>${words}</p>`,
  fromName: words,
  messageId: `<${n}@id.test>`,
  at: new Date(Date.UTC(2026, 0, 1, 12, n)),
})

test('captured mails are listed newest first with recipient, subject, time and text', () => {
  const page = renderOutbox({ messages: [mail(1), mail(2)], nonce: 'n' })
  expect(page.startsWith('<!doctype html><html lang="en">')).toBe(true)
  expect(page.indexOf('2@acme.test')).toBeLessThan(page.indexOf('1@acme.test'))
  for (const shown of ['Hello 1', 'Hello\n\n111\n', '2026-01-01 12:01:00 UTC']) expect(page).toContain(shown)
})

test('the content of a mail is escaped', () => {
  const page = renderOutbox({ messages: [mail(1, '</pre><script>alert(1)</script>" onload="x')], nonce: 'n', htmlHref: (m) => `/x/${m.subject}` })
  expect(page).not.toMatch(/<script|" onload="/)
})

test('the page has no script and no inline style, and its style sheet has the nonce', () => {
  const page = renderOutbox({ messages: [mail(1)], nonce: 'abc' })
  expect(page.match(/<style[^>]*>/g)).toEqual(['<style nonce="abc">'])
  expect(page).not.toMatch(/ style=|<script|<iframe|https?:/)
  expect(page).toContain("system-ui, -apple-system, 'Segoe UI'")
})

test('an empty outbox explains its purpose', () => {
  expect(renderOutbox({ messages: [], nonce: 'n' })).toContain('Nothing yet.')
})

test('the HTML version is linked only when a link is configured', () => {
  expect(renderOutbox({ messages: [mail(1)], nonce: 'n' })).not.toContain('<a ')
  expect(renderOutbox({ messages: [mail(1)], nonce: 'n', htmlHref: () => '/local/outbox/1' })).toContain(`href="/local/outbox/1"`)
})
