// The page for an authorization error. It reads only the error code of the query and displays nothing of it, so that a crafted link cannot put text on the
// page.
import { HOME } from '#shared/platform/http/pages/return-to'
import { HttpResult } from '#shared/platform/http/route'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { type ChallengeErrorKind, ERROR_STRINGS } from './error.strings.ts'
import type { Ctx } from './group.ts'

const KINDS: Readonly<Record<string, ChallengeErrorKind>> = {
  access_denied: 'refused',
  consent_required: 'refused',
  interaction_required: 'refused',
  login_required: 'expired',
  request_expired: 'expired',
}

export const errorPage = async (ctx: Ctx, error: string | undefined): Promise<HttpResult<string>> => {
  const page = await openPage(ctx, {})
  const words = ERROR_STRINGS[page.lang]
  const kind = error !== undefined && Object.hasOwn(KINDS, error) ? KINDS[error] : undefined
  const { title, text } = words[kind ?? 'invalid_request']
  const { result, headers, cookies } = pageResult(
    ctx,
    page,
    endedContent({ title, text, outcome: kind === 'refused' ? 'refused' : 'failed', again: { href: HOME, label: words.again } }),
  )
  return new HttpResult(result.body, { headers, cookies })
}
