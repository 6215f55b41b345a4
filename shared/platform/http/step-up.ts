// Step-up authentication (RFC 9470): a sign-in that is too old or too weak gets a challenge with the required age and strength.
import type { Clock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import { atLeast } from '#shared/platform/tokens/acr'
import type { StepUp } from './access.ts'

/** Endpoint at which a session steps up. */
export const STEP_UP_PATH = '/account/step-up'

const wantedAcr = ({ acr, factor }: StepUp): string | undefined => (factor === 'webauthn' ? 'aal3' : acr)

/** The challenge of RFC 9470 section 3. */
export const stepUpNeeded = (wanted: StepUp): AppError => {
  const acr = wantedAcr(wanted)
  const description = acr === undefined ? 'A more recent sign-in is needed' : 'A stronger sign-in is needed'
  const parameters = [
    'realm="authsec"',
    'error="insufficient_user_authentication"',
    `error_description="${description}"`,
    ...(acr === undefined ? [] : [`acr_values="${acr}"`]),
    ...(wanted.withinSeconds === undefined ? [] : [`max_age="${wanted.withinSeconds}"`]),
  ]
  return new AppError('insufficient_user_authentication', undefined, {
    headers: { 'WWW-Authenticate': `Bearer ${parameters.join(', ')}` },
    extra: {
      ...(acr === undefined ? {} : { acr_values: acr }),
      ...(wanted.withinSeconds === undefined ? {} : { max_age: wanted.withinSeconds }),
      step_up: STEP_UP_PATH,
    },
  })
}

/** @throws AppError insufficient_user_authentication */
export const requireStepUp = ({ clock }: { readonly clock: Clock }, user: Pick<User, 'acr' | 'authTime'>, wanted: StepUp | undefined): void => {
  if (wanted === undefined) return
  const age = (clock.now().getTime() - user.authTime.getTime()) / 1000
  const isRecent = wanted.withinSeconds === undefined || age <= wanted.withinSeconds
  if (!isRecent || !atLeast(user.acr, wantedAcr(wanted))) throw stepUpNeeded(wanted)
}
