// Devices that receive sign-in prompts: their list on the account page, and the page that adds this browser.
import type { PushDevice } from '#db/store/push-devices'
import { FORM_TOKEN } from '#shared/platform/http/pages/form'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import { Submit, Summary } from '#shared/platform/pages/form.tsx'
import { type Hosted, HostedForm, openPage, pageResult } from '#shared/platform/pages/hosted.tsx'
import { Links } from '#shared/platform/pages/links.tsx'
import { SCRIPT } from '#shared/platform/pages/push.client.generated'
import { TextWithMoment } from '#shared/platform/pages/tools.tsx'
import type { User } from '#shared/platform/principals/principal'
import { pushKey } from './browsers.ts'
import type { Ctx } from './group.ts'

const nameOf = (page: Hosted, { deviceName, deviceModel, platform }: PushDevice): string =>
  deviceName ?? deviceModel ?? page.words.me.platforms[platform]

type DeviceProps = { readonly page: Hosted; readonly device: PushDevice; readonly isHere: boolean }
const Device = ({ page, device, isHere }: DeviceProps) => {
  const { me, busy } = page.words
  const name = nameOf(page, device)
  return (
    <li>
      <div class="what">
        <strong dir="auto">{name}</strong>
        {isHere ? ` (${me.current})` : ''}
        <small>
          <TextWithMoment text={me.added} at={device.createdAt} lang={page.lang} />
        </small>
        {device.lastUsedAt === null ? (
          ''
        ) : (
          <small>
            <TextWithMoment text={me.lastAsked} at={device.lastUsedAt} lang={page.lang} />
          </small>
        )}
      </div>
      <HostedForm page={page} action="/me/browser/remove">
        <input type="hidden" name="device_id" value={device.id} />
        <button type="submit" class="link danger" data-label={me.remove} data-busy={busy} aria-label={`${me.remove}: ${name}`}>
          {me.remove}
        </button>
      </HostedForm>
    </li>
  )
}

type DevicesProps = { readonly page: Hosted; readonly principal: User; readonly devices: readonly PushDevice[]; readonly mayAdd: boolean }
/** Renders nothing when there are no devices and none can be added. */
export const BrowserDevices = ({ page, principal, devices, mayAdd }: DevicesProps) => {
  const { me } = page.words
  if (devices.length === 0 && !mayAdd) return ''
  const isHere = devices.some(({ sessionId }) => sessionId === principal.sessionId)
  return (
    <section class="part">
      <h2>{me.devices}</h2>
      {devices.length === 0 ? (
        <p class="quiet">{me.noDevices}</p>
      ) : (
        <ul class="rows">
          {devices.map((device) => (
            <Device page={page} device={device} isHere={device.sessionId === principal.sessionId} />
          ))}
        </ul>
      )}
      {mayAdd && !isHere ? <Links links={[{ href: '/me/browser', label: me.addBrowser }]} /> : ''}
    </section>
  )
}

/** A script does all the work: without it, or without push support, the page explains why and has no form. */
export const browserPage = async (ctx: Ctx, principal: User) => {
  const key = pushKey(ctx)
  if (key === undefined) return redirectResult(ctx, HOME, { say: 'not_found' })
  const page = await openPage(ctx, { principal })
  const { me, errors, busy, back } = page.words
  return pageResult(ctx, page, {
    title: me.browserTitle,
    script: SCRIPT,
    worker: true,
    children: (
      <>
        <p class="quiet">{me.browserText}</p>
        <p class="warn" data-without-push>
          {me.browserUnsupported}
        </p>
        <form method="post" action={page.action} hidden data-push data-key={key} data-denied={errors.push_denied} data-failed={errors.push_failed}>
          <Summary heading={page.forms.messages.heading} text={page.said === undefined ? undefined : page.notice} />
          <input type="hidden" name={FORM_TOKEN} value={page.token} />
          <input type="hidden" name="subscription" />
          <Submit label={me.turnOn} busy={busy} />
        </form>
        <Links links={[{ href: HOME, label: back }]} />
      </>
    ),
  })
}
