// A backchannel request on our own page: who asks and for what, then an answer. Refusing is as large as approving.

import { type ShownRequest, waitingRequest, waitingRequests } from '#shared/domains/ciba/shown'
import { goTo } from '#shared/platform/http/pages/go'
import { HOME } from '#shared/platform/http/pages/return-to'
import { Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, errorOf, Form, type Hosted, openPage } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { overContent } from '#shared/platform/pages/over.tsx'
import { waitInWords } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { Powers } from './activate.page.tsx'
import { approvePath } from './approve.ts'
import type { Ctx } from './group.ts'

type Shown = { readonly page: Hosted; readonly request: ShownRequest; readonly principal: User }

const left = (page: Hosted, { expiresAt }: ShownRequest): string => waitInWords((expiresAt.getTime() - page.now.getTime()) / 1000, page.lang)

const Facts = ({ page, request, principal }: Shown) => {
  const { approve } = page.words
  return (
    <dl class="facts">
      <dt>{approve.who}</dt>
      <dd>
        {request.clientName === undefined ? approve.unknown : <strong dir="auto">{request.clientName}</strong>}
        {request.oauth?.isUnverified === true ? ` (${page.words.activate.unverified})` : ''}
      </dd>
      <dt>{approve.as}</dt>
      <dd>{principal.email}</dd>
      {request.bindingMessage === '' ? (
        ''
      ) : (
        <>
          <dt>{approve.says}</dt>
          <dd>
            <q dir="auto">{request.bindingMessage}</q>
          </dd>
        </>
      )}
      <dt>{approve.what}</dt>
      <dd>
        <Powers page={page} scopes={request.scopes} oauth={request.oauth} />
      </dd>
      <dt>{approve.until}</dt>
      <dd>{left(page, request)}</dd>
    </dl>
  )
}

const askPage = (ctx: Ctx, page: Hosted, principal: User, request: ShownRequest) => {
  const { approve, busy } = page.words
  return answerPage(ctx, page, {
    title: approve.title,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        <Facts page={page} request={request} principal={principal} />
        <p class="warn">{approve.warn}</p>
        <Form page={page} action={approvePath(request.id)} main>
          <input type="hidden" name="id" value={request.id} />
          {request.needsNumber ? (
            <TextField
              id="match_number"
              label={approve.number}
              hint={approve.numberHint}
              inputmode="numeric"
              maxlength={2}
              code
              required={false}
              error={errorOf(page, 'match_number')}
              first
            />
          ) : (
            ''
          )}
          <div class="pair">
            <Submit kind="second" label={approve.deny} busy={busy} name="decision" value="deny" />
            <Submit label={approve.approve} busy={busy} name="decision" value="approve" />
          </div>
        </Form>
        <Links links={[{ href: HOME, label: page.words.activate.toMe }]} />
      </>
    ),
  })
}

export const Waiting = ({ page, requests }: { readonly page: Hosted; readonly requests: readonly ShownRequest[] }) => {
  const { approve } = page.words
  return (
    <ul class="rows">
      {requests.map((request) => (
        <li>
          <div class="what">
            <strong dir="auto">{request.clientName ?? approve.unknown}</strong>
            {request.bindingMessage === '' ? (
              ''
            ) : (
              <small>
                <q dir="auto">{request.bindingMessage}</q>
              </small>
            )}
            <small>
              {approve.until} {left(page, request)}
            </small>
          </div>
          <a href={approvePath(request.id)} aria-label={`${approve.look}: ${request.clientName ?? approve.unknown}`}>
            {approve.look}
          </a>
        </li>
      ))}
    </ul>
  )
}

const listPage = async (ctx: Ctx, page: Hosted, principal: User) => {
  const requests = await waitingRequests(ctx, principal)
  const { approve, activate } = page.words
  const [only] = requests
  if (only !== undefined && requests.length === 1) return goTo(ctx, approvePath(only.id))
  const home = { href: HOME, label: activate.toMe }
  if (only === undefined) return answerPage(ctx, page, overContent({ title: approve.noneTitle, text: approve.noneText, again: home }))
  return answerPage(ctx, page, {
    title: approve.listTitle,
    kind: 'approve',
    children: (
      <>
        <p class="quiet">{approve.listText}</p>
        <Waiting page={page} requests={requests} />
        <Links links={[home]} />
      </>
    ),
  })
}

/** Another's request is as unknown as one that is over. */
export const approvePage = async (ctx: Ctx, principal: User, id: string | undefined) => {
  const page = await openPage(ctx, { principal })
  if (id === undefined) return listPage(ctx, page, principal)
  const request = await waitingRequest(ctx, principal, id.toLowerCase())
  if (request !== undefined) return askPage(ctx, page, principal, request)
  const { approve, activate } = page.words
  return answerPage(ctx, page, overContent({ title: approve.overTitle, text: approve.overText, again: { href: HOME, label: activate.toMe } }))
}

export const decidedPage = async (ctx: Ctx, principal: User | undefined, state: 'approved' | 'denied' | 'wrong_number') => {
  const page = await openPage(ctx, { principal })
  const { approve, activate } = page.words
  const said = {
    approved: { title: approve.approvedTitle, text: approve.approvedText },
    denied: { title: approve.deniedTitle, text: approve.deniedText },
    wrong_number: { title: approve.wrongTitle, text: approve.wrongText },
  }[state]
  return answerPage(ctx, page, {
    title: said.title,
    children: (
      <>
        <p>{said.text}</p>
        <Links links={[{ href: HOME, label: activate.toMe }]} />
      </>
    ),
  })
}
