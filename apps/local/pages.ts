// Handlers of the local routes.
import { readFileSync } from 'node:fs'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { HttpResult } from '#shared/platform/http/route'
import { LOGO_ID } from '#shared/platform/outbox/mail/letter'
import { frontPolicy, renderFront } from '#shared/platform/pages/front.tsx'
import { CAPTURED_MAIL_POLICY, outboxPolicy, renderOutbox } from '#shared/platform/pages/outbox.tsx'
import { apiReferencePage, apiReferencePolicy } from './api-reference.ts'
import type { Ctx } from './group.ts'

const DOCUMENT = new URL('../../functions/openapi.json', import.meta.url)
let document: string | undefined

/** The generated document, read once. */
export const openApiDocument = (): string => {
  document ??= readFileSync(DOCUMENT, 'utf8')
  return document
}

const page = (html: string, policy: string): HttpResult<string> => new HttpResult(html, { headers: { 'Content-Security-Policy': policy } })

export const frontPage = async (ctx: Ctx): Promise<HttpResult<string>> => {
  const nonce = randomToken(ctx.random)
  return page(renderFront({ nonce, baseUrl: ctx.config.BASE_URL, capturesMail: ctx.captured !== undefined }), frontPolicy(nonce))
}

export const apiPage = async (ctx: Ctx): Promise<HttpResult<string>> => {
  const nonce = randomToken(ctx.random)
  return page(apiReferencePage(nonce), apiReferencePolicy(nonce))
}

const messagesOf = async (ctx: Ctx) => {
  if (ctx.captured === undefined && ctx.capturedPushes === undefined)
    throw new AppError('not_found', 'This server sends real mail and pushes and captures none.')
  return (await ctx.captured?.()) ?? []
}

const idOf = (messageId: string): string => messageId.replace(/^<|@.*$/g, '')

/** @throws AppError not_found where real mail is sent */
export const outbox = async (ctx: Ctx): Promise<HttpResult<string>> => {
  const messages = await messagesOf(ctx)
  const pushes = (await ctx.capturedPushes?.()) ?? []
  if (ctx.request.header('accept')?.includes('text/html')) {
    const nonce = randomToken(ctx.random)
    const texts = ctx.capturedSms?.() ?? []
    const html = renderOutbox({ messages, texts, pushes, nonce, htmlHref: ({ messageId }) => `/local/outbox/${idOf(messageId)}` })
    return new HttpResult(html, { headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': outboxPolicy(nonce) } })
  }
  const mails = messages.map(({ to, subject, text, html, at }) => ({ kind: 'mail', recipient: to, to, subject, text, html, time: at.toISOString() }))
  const texts = (ctx.capturedSms?.() ?? []).map(({ to, text, at }) => ({ kind: 'sms', recipient: to, to, text, time: at.toISOString() }))
  const pushed = pushes.map(({ platform, token, title, body, data, at }) => ({
    kind: 'push',
    recipient: token,
    to: token,
    platform,
    title,
    text: body,
    data,
    time: at.toISOString(),
  }))
  const list = [...mails, ...texts, ...pushed].toSorted((a, b) => a.time.localeCompare(b.time)).toReversed()
  return new HttpResult(JSON.stringify({ messages: list }))
}

/** @throws AppError not_found */
export const capturedHtml = async (ctx: Ctx, id: string): Promise<HttpResult<string>> => {
  const found = (await messagesOf(ctx)).find(({ messageId }) => idOf(messageId) === id)
  if (found === undefined) throw new AppError('not_found')
  const { logo, html } = found
  const shown =
    logo === undefined ? html : html.replaceAll(`cid:${LOGO_ID}`, `data:${logo.type};base64,${Buffer.from(logo.content).toString('base64')}`)
  return page(shown, CAPTURED_MAIL_POLICY)
}
