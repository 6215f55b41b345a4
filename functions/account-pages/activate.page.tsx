// Device activation (RFC 8628 section 3.3): the code, then the client and what it requests, then the decision. Deny is as prominent as approve.
import { type Activation, showActivation } from '#shared/domains/device-authorization/activation'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { Details } from '#shared/platform/pages/details.tsx'
import { Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult, typedValue } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { formatWait } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const activatePage = async (ctx: Ctx, principal: User | undefined, userCode: string | undefined) => {
  const page = await openPage(ctx, { principal })
  const { activate, busy } = page.words
  return pageResult(ctx, page, {
    title: activate.title,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{activate.text}</p>
        <HostedForm page={page} action="/activate" main>
          <TextField
            id="user_code"
            label={activate.code}
            autocomplete="off"
            autocapitalize="characters"
            maxlength={32}
            code
            value={typedValue(page, 'user_code') ?? userCode}
            error={errorOf(page, 'user_code', 'invalid_user_code')}
            first
          />
          <Submit label={activate.next} busy={busy} />
        </HostedForm>
      </>
    ),
  })
}

/** Describes what a client may do. A scope without a description is quoted by name. */
type AccessProps = { readonly page: Hosted; readonly scopes: readonly string[]; readonly oauth: Activation['oauth'] }
export const RequestedPowers = ({ page, scopes, oauth }: AccessProps) => {
  const { activate, scopes: words } = page.words
  const described = oauth?.descriptions ?? {}
  return (
    <>
      {oauth?.server === undefined ? '' : `${oauth.server.name} (${oauth.server.host}):`}
      <ul>
        {oauth === undefined ? <li>{activate.everything}</li> : ''}
        {scopes.map((scope) => (
          <li>{words[scope] ?? (described[scope] === undefined ? <q>{scope}</q> : described[scope])}</li>
        ))}
        {oauth === undefined ? '' : <Details details={oauth.details} types={oauth.types} lang={page.lang} />}
      </ul>
    </>
  )
}

type PromptProps = { readonly page: Hosted; readonly activation: Activation; readonly principal: User }

const Facts = ({ page, activation, principal }: PromptProps) => {
  const { activate } = page.words
  const reported = Object.entries(activation.deviceInfo)
  return (
    <dl class="facts">
      <dt>{activate.who}</dt>
      <dd>
        {activation.clientName === undefined ? activate.unknown : <strong>{activation.clientName}</strong>}
        {activation.oauth?.isUnverified === true ? ` (${activate.unverified})` : ''}
      </dd>
      <dt>{activate.as}</dt>
      <dd>{principal.email}</dd>
      <dt>{activate.what}</dt>
      <dd>
        <RequestedPowers page={page} scopes={activation.scopes} oauth={activation.oauth} />
      </dd>
      {activation.tenantDomain === undefined ? (
        ''
      ) : (
        <>
          <dt>{activate.where}</dt>
          <dd>{activation.tenantDomain}</dd>
        </>
      )}
      {reported.length === 0 ? (
        ''
      ) : (
        <>
          <dt>
            {activate.device} ({activate.unverified})
          </dt>
          <dd>
            {reported.map(([name, value]) => (
              <div>
                {name}: <q dir="auto">{value}</q>
              </div>
            ))}
          </dd>
        </>
      )}
      <dt>{activate.until}</dt>
      <dd>{formatWait((activation.expiresAt.getTime() - page.now.getTime()) / 1000, page.lang)}</dd>
    </dl>
  )
}

export const activationPromptPage = async (ctx: Ctx, principal: User, userCode: string | undefined) => {
  const activation = userCode === undefined ? undefined : await showActivation(ctx, userCode, principal)
  if (activation?.state !== 'pending') return redirectResult(ctx, '/activate', { say: 'invalid_user_code' })
  const page = await openPage(ctx, { principal })
  const { activate, busy } = page.words
  return pageResult(ctx, page, {
    title: activate.askTitle,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{activate.match}</p>
        <p class="number" dir="ltr">
          {activation.userCode}
        </p>
        <Facts page={page} activation={activation} principal={principal} />
        <p class="warn">{activate.warn}</p>
        <HostedForm page={page} action="/activate/device" main>
          <input type="hidden" name="user_code" value={activation.userCode} />
          <div class="pair">
            <Submit kind="second" label={activate.deny} busy={busy} name="decision" value="deny" />
            <Submit label={activate.approve} busy={busy} name="decision" value="approve" />
          </div>
        </HostedForm>
      </>
    ),
  })
}

export const activationDecidedPage = async (ctx: Ctx, principal: User | undefined, state: 'approved' | 'denied') => {
  const page = await openPage(ctx, { principal })
  const { activate } = page.words
  return pageResult(ctx, page, {
    title: state === 'approved' ? activate.approvedTitle : activate.deniedTitle,
    outcome: state === 'approved' ? 'success' : 'refused',
    children: (
      <>
        <p>{state === 'approved' ? activate.approvedText : activate.deniedText}</p>
        <Links
          links={[
            { href: '/activate', label: activate.another },
            { href: '/me', label: activate.toMe },
          ]}
        />
      </>
    ),
  })
}
