// Device activation: the code, then who asks and for what, then an answer. Refusing is as large as allowing.

import { type Activation, showActivation } from '#shared/domains/device-authorization/activation'
import { goTo } from '#shared/platform/http/pages/go'
import { Details } from '#shared/platform/pages/details.tsx'
import { Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage, typed } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { waitInWords } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const activatePage = async (ctx: Ctx, principal: User | undefined, userCode: string | undefined) => {
  const page = await openPage(ctx, { principal })
  const { activate, busy } = page.words
  return answerPage(ctx, page, {
    title: activate.title,
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{activate.text}</p>
        <Form page={page} action="/activate" main>
          <TextField
            id="user_code"
            label={activate.code}
            autocomplete="off"
            maxlength={32}
            code
            value={typed(page, 'user_code') ?? userCode}
            error={errorOf(page, 'user_code', 'invalid_user_code')}
            first
          />
          <Submit label={activate.next} busy={busy} />
        </Form>
      </>
    ),
  })
}

/** What a program may do, in words; what has none is quoted by its name. */
type PowersProps = { readonly page: Hosted; readonly scopes: readonly string[]; readonly oauth: Activation['oauth'] }
export const Powers = ({ page, scopes, oauth }: PowersProps) => {
  const { activate, scopes: words } = page.words
  const described = oauth?.descriptions ?? {}
  return (
    <>
      {oauth?.server === undefined ? '' : `${activate.where} ${oauth.server.name} (${oauth.server.host}):`}
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

type Asking = { readonly page: Hosted; readonly asked: Activation; readonly principal: User }

const Facts = ({ page, asked, principal }: Asking) => {
  const { activate } = page.words
  const said = Object.entries(asked.deviceInfo)
  return (
    <dl class="facts">
      <dt>{activate.who}</dt>
      <dd>
        {asked.clientName === undefined ? activate.unknown : <strong>{asked.clientName}</strong>}
        {asked.oauth?.isUnverified === true ? ` (${activate.unverified})` : ''}
      </dd>
      <dt>{activate.as}</dt>
      <dd>{principal.email}</dd>
      <dt>{activate.what}</dt>
      <dd>
        <Powers page={page} scopes={asked.scopes} oauth={asked.oauth} />
      </dd>
      {asked.tenantDomain === undefined ? (
        ''
      ) : (
        <>
          <dt>{activate.where}</dt>
          <dd>{asked.tenantDomain}</dd>
        </>
      )}
      {said.length === 0 ? (
        ''
      ) : (
        <>
          <dt>
            {activate.device} ({activate.unverified})
          </dt>
          <dd>
            {said.map(([name, value]) => (
              <div>
                {name}: <q dir="auto">{value}</q>
              </div>
            ))}
          </dd>
        </>
      )}
      <dt>{activate.until}</dt>
      <dd>{waitInWords((asked.expiresAt.getTime() - page.now.getTime()) / 1000, page.lang)}</dd>
    </dl>
  )
}

export const askPage = async (ctx: Ctx, principal: User, userCode: string | undefined) => {
  const asked = userCode === undefined ? undefined : await showActivation(ctx, userCode, principal)
  if (asked?.state !== 'pending') return goTo(ctx, '/activate', { say: 'invalid_user_code' })
  const page = await openPage(ctx, { principal })
  const { activate, busy } = page.words
  return answerPage(ctx, page, {
    title: activate.askTitle,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        <p class="quiet">{activate.match}</p>
        <p class="number" dir="ltr">
          {asked.userCode}
        </p>
        <Facts page={page} asked={asked} principal={principal} />
        <p class="warn">{activate.warn}</p>
        <Form page={page} action="/activate/device" main>
          <input type="hidden" name="user_code" value={asked.userCode} />
          <div class="pair">
            <Submit kind="second" label={activate.deny} busy={busy} name="decision" value="deny" />
            <Submit label={activate.approve} busy={busy} name="decision" value="approve" />
          </div>
        </Form>
      </>
    ),
  })
}

export const decidedPage = async (ctx: Ctx, principal: User | undefined, state: 'approved' | 'denied') => {
  const page = await openPage(ctx, { principal })
  const { activate } = page.words
  return answerPage(ctx, page, {
    title: state === 'approved' ? activate.approvedTitle : activate.deniedTitle,
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
