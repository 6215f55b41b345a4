// How evidence is bound to the key of the workload that presents it: by an audience that names the key, or by the first key that comes with the evidence.
import type { Attestor } from '#db/store/attestors'
import type { Config } from '#shared/kernel/config'

type Deps = { readonly config: Pick<Config, 'BASE_URL'> }

/** The audience that a workload with this key requests evidence for. A copy of such evidence is worth nothing without the key. */
export const keyAudience = ({ config }: Deps, tenantId: string, jkt: string): string => `${config.BASE_URL}/spiffe/${tenantId}?jkt=${jkt}`

/** The only audience that is accepted. */
export const audienceFor = (ctx: Deps, attestor: Pick<Attestor, 'tenantId' | 'keyBinding' | 'audience'>, jkt: string): string | null =>
  attestor.keyBinding === 'required' ? keyAudience(ctx, attestor.tenantId, jkt) : attestor.audience

const THUMBPRINT = /^[\w-]{43}$/
/** RFC 7638 with SHA-256. */
export const isThumbprint = (text: string): boolean => THUMBPRINT.test(text)
