// The page that ends the sign-in of an MCP client in the browser: the outcome, the person, the application and where to continue.
import type * as z from 'zod'
import { AppError } from '#shared/kernel/errors'
import { randomToken } from '#shared/kernel/random'
import { HttpResult } from '#shared/platform/http/route'
import { preferredLanguage } from '#shared/platform/pages/language'
import { OUTCOME_CSS, pagePolicy, renderPage } from '#shared/platform/pages/layout.tsx'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import { CALLBACK } from './callback.strings.ts'
import type { Ctx } from './group.ts'
import type { CallbackMcpQuery } from './mcp.schema.ts'
import { findSession } from './person.ts'
import { handleMcpCallback } from './sessions.ts'

type SignedIn = { readonly app: string; readonly email: string; readonly returnUrl: string | null }

const page = (ctx: Ctx, signedIn: SignedIn | undefined): HttpResult<string> => {
  const [nonce, lang] = [randomToken(ctx.random), preferredLanguage(ctx.request.header('accept-language'))]
  const words = CALLBACK[lang]
  const html = renderPage({
    lang,
    nonce,
    title: words.title,
    css: OUTCOME_CSS,
    children: (
      <div class="card">
        <p class="who">{new URL(ctx.config.BASE_URL).host}</p>
        <section>
          <h1 tabindex={-1} class={signedIn === undefined ? 'outcome refused' : 'outcome success'}>
            {signedIn === undefined ? words.refusedTitle : words.doneTitle}
          </h1>
          <p class="quiet" role="status">
            {signedIn === undefined ? words.refused : fillPlaceholders(words.done, { app: signedIn.app, email: signedIn.email })}
          </p>
          {signedIn === undefined || signedIn.returnUrl === null ? (
            ''
          ) : (
            <a class="alone" href={signedIn.returnUrl} rel="noreferrer">
              {words.goOn}
            </a>
          )}
        </section>
      </div>
    ),
  })
  const headers = {
    'Content-Security-Policy': pagePolicy(nonce),
    'Cache-Control': 'no-store',
    'Referrer-Policy': 'no-referrer',
    'Content-Language': lang,
    Vary: 'Accept-Language',
  }
  return new HttpResult(html, { headers })
}

/** Redeems the code and shows the outcome. @throws AppError mcp_session_unknown, mcp_code_refused, invalid_token */
export const mcpCallbackPage = async (ctx: Ctx, { code, state, error }: z.output<typeof CallbackMcpQuery>): Promise<HttpResult<string>> => {
  if (error !== undefined) return page(ctx, undefined)
  if (code === undefined || state === undefined) throw new AppError('mcp_session_unknown')
  const { session_id: id, user_info: person, return_url: returnUrl } = await handleMcpCallback(ctx, { code, state })
  const app = (await findSession(ctx, id))?.state.appName ?? ''
  return page(ctx, { app, email: person.email, returnUrl })
}
