// Seeds of passkeys: tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { raiseCounterAlarm } from '#db/store/passkeys'
import { authenticator } from '#tests/support/authenticator'
import { givePasskey, PAGE } from '#tests/support/passkeys'
import type { Make } from '../../tests/seeds/seeds.ts'

const passkey =
  (more: { readonly body?: Readonly<Record<string, unknown>>; readonly answers?: number } = {}): Make =>
  async (app, company) => {
    const owner = await app.person(company)
    return { path: { id: (await givePasskey(app, owner, authenticator(PAGE))).factorId }, owner, ...more }
  }

/** A passkey that may have been copied, and another factor. */
const alarmed =
  (byAdministrator: boolean): Make =>
  async (app, company) => {
    const owner = await app.person(company)
    const { factorId } = await givePasskey(app, owner, authenticator(PAGE))
    await atomically(forTenant(app.db, company.tenantId), (t) => raiseCounterAlarm(t, factorId, app.clock.now()))
    return byAdministrator
      ? { path: { user_id: owner.id, factor_id: factorId }, owner: company.admin }
      : { path: { factor_id: factorId }, owner, amr: ['pwd', 'otp'] }
  }

export const PASSKEY_SEEDS: Readonly<Record<string, Make>> = {
  'factors.clearAlarm': alarmed(false),
  'factors.clearAlarmOfPerson': alarmed(true),
  'webauthn.passkeys.rename': passkey({ body: { name: 'Phone' } }),
  // The owner passes the access check and needs a stronger sign-in.
  'webauthn.passkeys.remove': passkey({ answers: 401 }),
}
