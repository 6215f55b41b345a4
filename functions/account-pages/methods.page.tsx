// The list of a person's second factors on the account page, and the page to remove one, which explains the consequences.
import type { Factor } from '#db/store/factors'
import { listOwnFactors } from '#shared/domains/factors/list-factors'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { Submit } from '#shared/platform/pages/form.tsx'
import { SCRIPT } from '#shared/platform/pages/hosted.client.generated'
import { type Hosted, HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { TextWithMoment } from '#shared/platform/pages/tools.tsx'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { alarmsOf } from './methods.ts'

const nameOf = (page: Hosted, { kind, name }: Factor): string => {
  const words = page.words.me.kinds[kind]
  return name === '' || name === words ? words : `${words}: ${name}`
}

const FactorItem = ({ page, factor, alarmed }: { readonly page: Hosted; readonly factor: Factor; readonly alarmed: boolean }) => {
  const { me } = page.words
  return (
    <li>
      <div class="what">
        <strong dir="auto">{nameOf(page, factor)}</strong>
        <small>
          <TextWithMoment text={me.added} at={factor.createdAt} lang={page.lang} />
        </small>
        {factor.lastUsedAt === null ? (
          ''
        ) : (
          <small>
            <TextWithMoment text={me.lastUsed} at={factor.lastUsedAt} lang={page.lang} />
          </small>
        )}
        {alarmed ? <small class="alarm">{me.alarmShort}</small> : ''}
      </div>
      <a
        class={alarmed ? '' : 'danger'}
        href={`/me/method?${new URLSearchParams({ id: factor.id })}`}
        aria-label={`${alarmed ? me.review : me.remove}: ${nameOf(page, factor)}`}
      >
        {alarmed ? me.review : me.remove}
      </a>
    </li>
  )
}

type FactorListProps = { readonly page: Hosted; readonly factors: readonly Factor[]; readonly alarms: ReadonlySet<string>; readonly mayText: boolean }
export const FactorList = ({ page, factors, alarms, mayText }: FactorListProps) => {
  const { me, busy } = page.words
  return (
    <section class="part">
      <h2>{me.factors}</h2>
      {factors.length === 0 ? (
        <p class="quiet">{me.noFactors}</p>
      ) : (
        <ul class="rows">
          {factors.map((factor) => (
            <FactorItem page={page} factor={factor} alarmed={alarms.has(factor.id)} />
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
        <HostedForm page={page} action="/me/backup-codes">
          <Submit kind="second" label={me.newCodes} busy={busy} />
        </HostedForm>
      )}
    </section>
  )
}

export const methodPage = async (ctx: Ctx, principal: User, id: string) => {
  const factor = (await listOwnFactors(ctx, principal)).find((one) => one.id === id)
  if (factor === undefined) return redirectResult(ctx, HOME, { say: 'not_found' })
  const alarmed = (await alarmsOf(ctx, principal)).has(id)
  const page = await openPage(ctx, { principal })
  const { me, busy, back } = page.words
  return pageResult(ctx, page, {
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
            <HostedForm page={page} action="/me/method/clear-alarm">
              <input type="hidden" name="factor_id" value={factor.id} />
              <Submit kind="second" label={me.clearAlarm} busy={busy} />
            </HostedForm>
          </>
        ) : (
          ''
        )}
        <p class={alarmed ? 'part' : 'warn'}>{me.removeText}</p>
        <HostedForm page={page} action="/me/method/remove" main>
          <input type="hidden" name="factor_id" value={factor.id} />
          <input type="hidden" name="accept_weaker" value="yes" />
          <Submit kind="danger" label={me.remove} busy={busy} />
        </HostedForm>
        <Links links={[{ href: HOME, label: back }]} />
      </>
    ),
  })
}
