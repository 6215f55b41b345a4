// What went wrong at the authorization server, in our own words. Of the address only the name of the error is read, and none of it is shown: whoever makes a
// link could otherwise write on our page.

import { HOME } from '#shared/platform/http/pages/return-to'
import { Sent } from '#shared/platform/http/route'
import { answerPage, openPage } from '#shared/platform/pages/hosted.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { ERROR_STRINGS, type Kind } from './error.strings.ts'
import type { Ctx } from './group.ts'

const KINDS: Readonly<Record<string, Kind>> = {
  access_denied: 'refused',
  consent_required: 'refused',
  interaction_required: 'refused',
  login_required: 'expired',
  request_expired: 'expired',
}

export const errorPage = async (ctx: Ctx, error: string | undefined): Promise<Sent<string>> => {
  const page = await openPage(ctx, {})
  const words = ERROR_STRINGS[page.lang]
  const kind = error !== undefined && Object.hasOwn(KINDS, error) ? KINDS[error] : undefined
  const { title, text } = words[kind ?? 'asked_wrong']
  const { result, headers, cookies } = answerPage(ctx, page, overContent({ title, text, again: { href: HOME, label: words.again } }))
  return new Sent(result.body, { headers, cookies })
}
