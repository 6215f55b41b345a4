// The applications that have access to the account, on the account page.
import type { PersonConsent } from '#shared/domains/oauth/consents'
import { type Hosted, HostedForm } from '#shared/platform/pages/hosted.tsx'
import { quotedText } from '#shared/platform/pages/quoted'
import { TextWithMoment } from '#shared/platform/pages/tools.tsx'

/** All consents for one client; they end together. */
type Application = { readonly clientId: string; readonly name: string; readonly consents: readonly PersonConsent[] }

const applicationsIn = (consents: readonly PersonConsent[]): readonly Application[] =>
  [...new Set(consents.map(({ clientId }) => clientId))].map((clientId) => {
    const own = consents.filter((consent) => consent.clientId === clientId)
    return { clientId, name: quotedText(own[0]?.clientName ?? ''), consents: own }
  })

const Access = ({ page, consent }: { readonly page: Hosted; readonly consent: PersonConsent }) => {
  const { me, scopes } = page.words
  return (
    <>
      {consent.resource === null ? '' : <small dir="ltr">{consent.resource}</small>}
      {consent.scopes.length === 0 ? '' : <small>{consent.scopes.map((scope) => scopes[scope] ?? quotedText(scope)).join(' · ')}</small>}
      <small>
        <TextWithMoment text={me.since} at={consent.createdAt} lang={page.lang} />
      </small>
    </>
  )
}

export const Applications = ({ page, consents }: { readonly page: Hosted; readonly consents: readonly PersonConsent[] }) => {
  const { me, busy } = page.words
  return (
    <section class="part">
      <h2>{me.applications}</h2>
      {consents.length === 0 ? (
        <p class="quiet">{me.noApplications}</p>
      ) : (
        <ul class="rows">
          {applicationsIn(consents).map(({ clientId, name, consents: own }) => (
            <li>
              <div class="what">
                <strong dir="auto">{name}</strong>
                {own.map((consent) => (
                  <Access page={page} consent={consent} />
                ))}
              </div>
              <HostedForm page={page} action="/me/applications/remove">
                <input type="hidden" name="client_id" value={clientId} />
                <button type="submit" class="link danger" data-label={me.remove} data-busy={busy} aria-label={`${me.remove}: ${name}`}>
                  {me.remove}
                </button>
              </HostedForm>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
