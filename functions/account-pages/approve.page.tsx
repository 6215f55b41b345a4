// Backchannel requests on the hosted pages: the client and what it requests, then the decision. Deny is as prominent as approve.
import { type PendingCibaRequest, pendingCibaRequest, pendingCibaRequests } from '#shared/domains/ciba/pending-requests'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { endedContent } from '#shared/platform/pages/ended.tsx'
import { Submit, TextField } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { errorOf, type Hosted, HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { formatWait } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import { RequestedPowers } from './activate.page.tsx'
import { approvalPath } from './approve.ts'
import type { Ctx } from './group.ts'

type RequestProps = { readonly page: Hosted; readonly request: PendingCibaRequest; readonly principal: User }

const timeLeft = (page: Hosted, { expiresAt }: PendingCibaRequest): string => formatWait((expiresAt.getTime() - page.now.getTime()) / 1000, page.lang)

const Facts = ({ page, request, principal }: RequestProps) => {
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
        <RequestedPowers page={page} scopes={request.scopes} oauth={request.oauth} />
      </dd>
      <dt>{approve.until}</dt>
      <dd>{timeLeft(page, request)}</dd>
    </dl>
  )
}

const requestPage = (ctx: Ctx, page: Hosted, principal: User, request: PendingCibaRequest) => {
  const { approve, busy } = page.words
  return pageResult(ctx, page, {
    title: approve.title,
    kind: 'approve',
    script: SCRIPT,
    children: (
      <>
        <Facts page={page} request={request} principal={principal} />
        <p class="warn">{approve.warn}</p>
        <HostedForm page={page} action={approvalPath(request.id)} main>
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
        </HostedForm>
        <Links links={[{ href: HOME, label: page.words.activate.toMe }]} />
      </>
    ),
  })
}

export const PendingApprovals = ({ page, requests }: { readonly page: Hosted; readonly requests: readonly PendingCibaRequest[] }) => {
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
              {approve.until} {timeLeft(page, request)}
            </small>
          </div>
          <a href={approvalPath(request.id)} aria-label={`${approve.look}: ${request.clientName ?? approve.unknown}`}>
            {approve.look}
          </a>
        </li>
      ))}
    </ul>
  )
}

const listPage = async (ctx: Ctx, page: Hosted, principal: User) => {
  const requests = await pendingCibaRequests(ctx, principal)
  const { approve, activate } = page.words
  const [only] = requests
  if (only !== undefined && requests.length === 1) return redirectResult(ctx, approvalPath(only.id))
  const home = { href: HOME, label: activate.toMe }
  if (only === undefined)
    return pageResult(ctx, page, endedContent({ title: approve.noneTitle, text: approve.noneText, again: home, outcome: 'none' }))
  return pageResult(ctx, page, {
    title: approve.listTitle,
    kind: 'approve',
    children: (
      <>
        <p class="quiet">{approve.listText}</p>
        <PendingApprovals page={page} requests={requests} />
        <Links links={[home]} />
      </>
    ),
  })
}

/** A request of another person is as unknown as one that has ended. */
export const approvePage = async (ctx: Ctx, principal: User, id: string | undefined) => {
  const page = await openPage(ctx, { principal })
  if (id === undefined) return listPage(ctx, page, principal)
  const request = await pendingCibaRequest(ctx, principal, id.toLowerCase())
  if (request !== undefined) return requestPage(ctx, page, principal, request)
  const { approve, activate } = page.words
  return pageResult(ctx, page, endedContent({ title: approve.overTitle, text: approve.overText, again: { href: HOME, label: activate.toMe } }))
}

export const approvalDecidedPage = async (ctx: Ctx, principal: User | undefined, state: 'approved' | 'denied' | 'wrong_number') => {
  const page = await openPage(ctx, { principal })
  const { approve, activate } = page.words
  const outcomes = {
    approved: { title: approve.approvedTitle, text: approve.approvedText, kind: 'success' },
    denied: { title: approve.deniedTitle, text: approve.deniedText, kind: 'refused' },
    wrong_number: { title: approve.wrongTitle, text: approve.wrongText, kind: 'failed' },
  } as const
  const { title, text, kind } = outcomes[state]
  return pageResult(ctx, page, {
    title,
    outcome: kind,
    children: (
      <>
        <p>{text}</p>
        <Links links={[{ href: HOME, label: activate.toMe }]} />
      </>
    ),
  })
}
