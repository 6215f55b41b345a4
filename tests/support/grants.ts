// Shared setup for tests of device and backchannel grants: a device, its polls, and deceptive text.
import type { Company, Person, TestApp } from './app.ts'
import { bodyOf, textIn } from './sign-in.ts'

export const DEVICE = '/authsec/uflow/auth/device'

export type Codes = { readonly deviceCode: string; readonly userCode: string }
export const beginDevice = async (app: TestApp, body: Readonly<Record<string, unknown>> = {}): Promise<Codes> => {
  const answer = await bodyOf(await app.request(`${DEVICE}/code`, { body }))
  return { deviceCode: textIn(answer, 'device_code'), userCode: textIn(answer, 'user_code') }
}
export const beginDeviceOf = (app: TestApp, company: Company): Promise<Codes> => beginDevice(app, { client_id: company.clientId })
export const pollDevice = (app: TestApp, { deviceCode }: Pick<Codes, 'deviceCode'>, clientId?: string): Promise<Response> =>
  app.request(`${DEVICE}/token`, { body: { device_code: deviceCode, ...(clientId === undefined ? {} : { client_id: clientId }) } })
export const verifyDevice = async (app: TestApp, person: Person, userCode: string, approve = true): Promise<Response> =>
  app.request(`${DEVICE}/verify`, { token: await app.token(person), body: { user_code: userCode, approve } })

/** Right-to-left override, zero widths, a joiner, a control, a tag character, markup. */
export const DISGUISED = 'Pay \u202eruoy\u202c\u200b \u2066now\u2069\u0007\u{e0041} <b onclick="x">1000</b> &amp; <script>alert(1)</script>'
