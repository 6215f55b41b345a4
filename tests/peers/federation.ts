// Helpers shared by the tests against the certified provider.
import type { TenantId } from '#db/engine/tenant'
import { federationRoutes } from '../../functions/federation/routes.ts'
import { addProvider, BASE, CLIENT, federationBrowser, startFederation } from '../support/federation.ts'
import { type Body, bodyOf, textIn } from '../support/sign-in.ts'
import { startUpstream, type Upstream } from './upstream.ts'

export const SECOND = { client_id: 'second-client', client_secret: 'our-secret-at-the-provider' } as const
const FIRST = { client_id: CLIENT.clientId, client_secret: CLIENT.secret } as const

export const startWorld = async () => {
  const world = await startFederation(federationRoutes)
  const upstream = await startUpstream([FIRST, SECOND], `${world.app.config.BASE_URL}${BASE}/callback`)
  const { app } = world
  const provider = await addProvider(app, { issuer: upstream.url })
  /** A whole sign-in; the query may be changed on its way back. */
  const dance = async (
    body: Body,
    account: string | undefined,
    change: (back: URLSearchParams) => void = () => undefined,
    via: Upstream = upstream,
  ) => {
    const browser = federationBrowser(app)
    const begun = await bodyOf(await browser.begin({ provider, ...body }))
    const back = await via.authorize(textIn(begun, 'redirect_url'), account)
    change(back)
    await browser.land(back)
    return { response: await browser.exchange(back), browser, back }
  }
  const ownProvider = (tenantId: TenantId, clientId: string, name: string): Promise<string> =>
    addProvider(app, { issuer: upstream.url, clientId, name }, tenantId)
  return { ...world, upstream, provider, dance, ownProvider }
}
export type PeerWorld = Awaited<ReturnType<typeof startWorld>>
