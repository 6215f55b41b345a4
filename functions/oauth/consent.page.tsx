// The consent page: client, person, scopes, redirect host, duration, and how to revoke. Text from the client is quoted, without control and direction marks.
import type { OauthClient } from '#db/store/oauth-clients'
import { storeRequestForPage } from '#db/store/oauth-code-flow'
import type { McpConsent } from '#shared/domains/mcp-sessions/confirmation'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import { HttpResult, type StatusResult } from '#shared/platform/http/route'
import { brandFrom } from '#shared/platform/pages/brand'
import { Details } from '#shared/platform/pages/details.tsx'
import { Submit, TextField } from '#shared/platform/pages/form.tsx'
import { HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { quotedText } from '#shared/platform/pages/quoted'
import { fillPlaceholders } from '#shared/platform/pages/wait'
import type { ValidatedRequest } from './authorization-request.ts'
import { CONSENT, type ConsentStrings } from './consent.strings.ts'
import { type ConsentRequest, consentRequestRow } from './consent-request.ts'
import type { Ctx } from './group.ts'
import { isLoopback } from './redirect.ts'

/** Not the authorization endpoint, which receives the requests of clients. The form keeps the query, so that a refused form leads back to its page. */
const CONSENT_FORM = '/oauth/consent'

const scopeText = ({ resource }: ValidatedRequest, scope: string, words: ConsentStrings): string => {
  if (isIdentityScope(scope)) return words.identity[scope as keyof ConsentStrings['identity']]
  const described = resource?.scopes.find(({ name }) => name === scope)?.description ?? ''
  return quotedText(described === '' ? scope : described)
}

/** Browsers apply `form-action` also to the redirect after a form, so the policy names the client's origin. */
export const mayRedirectFromConsent = (page: HttpResult<StatusResult<200, string>>, redirectUri: string): HttpResult<StatusResult<200, string>> => {
  const url = new URL(redirectUri)
  const place = /^https?:$/.test(url.protocol) ? url.origin : url.protocol
  const policy = page.headers['Content-Security-Policy']?.replace(`form-action 'self'`, `form-action 'self' ${place}`) ?? ''
  return new HttpResult(page.result, { headers: { ...page.headers, 'Content-Security-Policy': policy }, cookies: page.cookies })
}

const Fact = ({ name, children }: { readonly name: string; readonly children?: unknown }) => (
  <>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </>
)

/** Whether the client's name is verified, and the host of its metadata. */
const verificationOf = ({ registeredBy, publicId }: OauthClient, words: ConsentStrings, tenant: string): string => {
  if (registeredBy === 'administrator') return fillPlaceholders(words.registered, { tenant })
  return registeredBy === 'metadata' ? `${words.unverified}, ${fillPlaceholders(words.isAt, { host: new URL(publicId).host })}` : words.unverified
}

type McpPowersProps = { readonly mcp: McpConsent; readonly words: ConsentStrings }
/** What the session can do besides disclosing the identity: the tools of the application, within the permissions that it carries. */
const McpPowers = ({ mcp: { appName, scopes }, words: { mcp: words } }: McpPowersProps) => (
  <>
    <li>{fillPlaceholders(words.tools, { app: quotedText(appName) })}</li>
    <li>{words.groups}</li>
    {scopes.map((scope) => (
      <li>
        {scope.endsWith(':*')
          ? fillPlaceholders(words.resource, { resource: quotedText(scope.slice(0, -2)) })
          : fillPlaceholders(words.permission, { permission: quotedText(scope) })}
      </li>
    ))}
  </>
)

export const consentPage = async (ctx: Ctx, consent: ConsentRequest): Promise<HttpResult<StatusResult<200, string>>> => {
  const { request, principal, scopes, types, mcp } = consent
  const { t, handle, row } = consentRequestRow(ctx, consent)
  const page = await openPage(ctx, { principal, uiLocales: request.uiLocales, brand: brandFrom(ctx, await storeRequestForPage(t, row)) })
  const words = CONSENT[page.lang]
  const client = quotedText(request.client.name)
  const { host } = new URL(request.redirectUri)
  const isLocal = isLoopback(request.redirectUri)
  const answer = pageResult(ctx, page, {
    title: fillPlaceholders(words.title, { client }),
    kind: 'approve',
    children: (
      <>
        {mcp === undefined ? '' : <p class="warn">{fillPlaceholders(words.mcp.warning, { app: quotedText(mcp.appName) })}</p>}
        {isLocal ? <p class="warn">{words.localWarning}</p> : ''}
        {request.client.registeredBy === 'administrator' ? (
          ''
        ) : (
          <p class="warn">{fillPlaceholders(words.unverifiedWarning, { tenant: page.brand.name })}</p>
        )}
        <dl class="facts">
          <Fact name={words.who}>
            <q>{client}</q> · {verificationOf(request.client, words, page.brand.name)}
            {mcp === undefined ? '' : ` · ${fillPlaceholders(words.mcp.app, { app: quotedText(mcp.appName) })}`}
          </Fact>
          <Fact name={words.forWhom}>
            {principal.email}
            {request.client.agent === undefined ? '' : ` · ${fillPlaceholders(words.agent, { owner: quotedText(request.client.agent.owner) })}`}
          </Fact>
          <Fact name={words.what}>
            {request.resource === undefined
              ? ''
              : fillPlaceholders(words.at, { server: `${quotedText(request.resource.name)} (${new URL(request.resource.resource).host})` })}
            <ul>
              {scopes.map((scope) => (
                <li>{scopeText(request, scope, words)}</li>
              ))}
              {mcp === undefined ? '' : <McpPowers mcp={mcp} words={words} />}
              <Details details={request.details} types={types} lang={page.lang} />
            </ul>
          </Fact>
          <Fact name={words.where}>{isLocal ? fillPlaceholders(words.ownDevice, { host }) : host || new URL(request.redirectUri).protocol}</Fact>
          <Fact name={words.howLong}>
            {mcp !== undefined ? words.mcp.howLong : scopes.includes('offline_access') ? words.offline : words.untilSignOut}
          </Fact>
          <Fact name={words.takeBack}>{words.takeBackText}</Fact>
        </dl>
        <HostedForm page={page} action={page.action.replace(/^[^?]*/, CONSENT_FORM)} main>
          <input type="hidden" name="consent" value={handle} />
          {mcp === undefined ? (
            ''
          ) : (
            <TextField
              id="user_code"
              label={words.mcp.code}
              hint={words.mcp.codeHint}
              maxlength={32}
              code
              error={mcp.wrongCode === undefined ? undefined : words.mcp.wrongCode}
              first
            />
          )}
          <div class="pair">
            <Submit kind="second" name="decision" value="deny" label={words.deny} busy={words.busy} />
            <Submit name="decision" value="allow" label={words.allow} busy={words.busy} />
          </div>
        </HostedForm>
      </>
    ),
  })
  return mayRedirectFromConsent(answer, request.redirectUri)
}
