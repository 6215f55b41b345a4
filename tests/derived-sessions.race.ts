// A source that ends while a session is derived from it: the new session is refused or ends too, whichever transaction is first.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findSessions } from '#db/store/sessions'
import type { Route } from '#shared/platform/http/route'
import { accountRoutes } from '../functions/account/routes.ts'
import { deviceRoutes } from '../functions/device/routes.ts'
import { startApp } from './support/app.ts'
import { beginDeviceOf, DEVICE, pollDevice } from './support/grants.ts'

test('signing out during the poll leaves no session behind', async () => {
  const app = await startApp([...deviceRoutes, ...accountRoutes] as readonly Route<never>[])
  const company = await app.company()
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const person = await app.person(company)
      const token = await app.token(person)
      const codes = await beginDeviceOf(app, company)
      await app.request(`${DEVICE}/verify`, { token, body: { user_code: codes.userCode, approve: true } })
      const [polled, ended] = await Promise.all([
        pollDevice(app, codes, company.clientId),
        app.request('/account/sign-out', { method: 'POST', token }),
      ])
      const left = await findSessions(forTenant(app.db, company.tenantId), person.id, app.clock.now())
      return { polled: polled.status, ended: ended.status < 300, left: left.length }
    }),
  )
  for (const { polled, ended, left } of outcomes) expect([[200, 403].includes(polled), ended, left]).toEqual([true, true, 0])
})
