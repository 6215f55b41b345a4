// The second factors of a person: listed on the account page, each removed on a page of its own, which says what that means.

import type { Factor } from '#db/store/factors'
import { ownFactors } from '#shared/domains/factors/own'
import { goTo } from '#shared/platform/http/pages/go'
import { HOME } from '#shared/platform/http/pages/return-to'
import { Submit } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { answerPage, Form, type Hosted, openPage } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { fill } from '#shared/platform/pages/wait'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { alarmsOf } from './methods.ts'

/** A moment as people of that language write it, in UTC: the server does not know where the reader is. */
export const moment = (page: Hosted, at: Date | string): string =>
  `${new Intl.DateTimeFormat(page.lang, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC', hourCycle: 'h23' }).format(new Date(at))} UTC`

const nameOf = (page: Hosted, { kind, name }: Factor): string => {
  const words = page.words.me.kinds[kind]
  return name === '' || name === words ? words : `${words}: ${name}`
}

const One = ({ page, factor, alarmed }: { readonly page: Hosted; readonly factor: Factor; readonly alarmed: boolean }) => {
  const { me } = page.words
  return (
    <li>
      <div class="what">
        <strong dir="auto">{nameOf(page, factor)}</strong>
        <small>{fill(me.added, { at: moment(page, factor.createdAt) })}</small>
        {factor.lastUsedAt === null ? '' : <small>{fill(me.lastUsed, { at: moment(page, factor.lastUsedAt) })}</small>}
        {alarmed ? <small class="alarm">{me.alarmShort}</small> : ''}
      </div>
      <a href={`/me/method?${new URLSearchParams({ id: factor.id })}`} aria-label={`${alarmed ? me.review : me.remove}: ${nameOf(page, factor)}`}>
        {alarmed ? me.review : me.remove}
      </a>
    </li>
  )
}

type Own = { readonly page: Hosted; readonly factors: readonly Factor[]; readonly alarms: ReadonlySet<string>; readonly mayText: boolean }
export const Factors = ({ page, factors, alarms, mayText }: Own) => {
  const { me, busy } = page.words
  return (
    <section class="part">
      <h2>{me.factors}</h2>
      {factors.length === 0 ? (
        <p class="quiet">{me.noFactors}</p>
      ) : (
        <ul class="rows">
          {factors.map((factor) => (
            <One page={page} factor={factor} alarmed={alarms.has(factor.id)} />
          ))}
        </ul>
      )}
      <Links
        links={[
          { href: '/me/passkey', label: me.addPasskey },
          { href: '/me/app', label: me.addApp },
          mayText ? { href: '/me/phone', label: me.addPhone } : undefined,
        ]}
      />
      {factors.length === 0 ? (
        ''
      ) : (
        <Form page={page} action="/me/backup-codes">
          <Submit kind="second" label={me.newCodes} busy={busy} />
        </Form>
      )}
    </section>
  )
}

export const methodPage = async (ctx: Ctx, principal: User, id: string) => {
  const factor = (await ownFactors(ctx, principal)).find((one) => one.id === id)
  if (factor === undefined) return goTo(ctx, HOME, { say: 'not_found' })
  const alarmed = (await alarmsOf(ctx, principal)).has(id)
  const page = await openPage(ctx, { principal })
  const { me, busy, back } = page.words
  return answerPage(ctx, page, {
    title: alarmed ? me.alarmTitle : me.removeTitle,
    script: SCRIPT,
    children: (
      <>
        <p>
          <strong dir="auto">{nameOf(page, factor)}</strong>
        </p>
        {alarmed ? (
          <>
            <p class="warn">{me.alarmText}</p>
            <Form page={page} action="/me/method/clear-alarm">
              <input type="hidden" name="factor_id" value={factor.id} />
              <Submit kind="second" label={me.clearAlarm} busy={busy} />
            </Form>
          </>
        ) : (
          ''
        )}
        <p class={alarmed ? 'part' : 'warn'}>{me.removeText}</p>
        <Form page={page} action="/me/method/remove" main>
          <input type="hidden" name="factor_id" value={factor.id} />
          <input type="hidden" name="accept_weaker" value="yes" />
          <Submit label={me.remove} busy={busy} />
        </Form>
        <Links links={[{ href: HOME, label: back }]} />
      </>
    ),
  })
}
