// Azure: the access token of a managed identity, for an application of the customer.
import { verifyToken } from '../evidence-jws.ts'
import { type Method, selectorsOf } from '../method.ts'
import { refuseEvidence, requireEvidence } from '../refusal.ts'
import { factOf } from '../rules.ts'

const UUID_TEXT = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
const UUID = new RegExp(`^${UUID_TEXT}$`)
const ISSUER = new RegExp(`^https://(?:sts\\.windows\\.net/(${UUID_TEXT})/|login\\.microsoftonline\\.com/(${UUID_TEXT})/v2\\.0)$`)
/** Names in resource ids ignore case, so ids are compared in lower case. */
const NAME = '[a-z0-9_.()-]{1,128}'
const RESOURCE = new RegExp(
  `^/subscriptions/${UUID_TEXT}/resourcegroups/${NAME}/providers/microsoft\\.(?:managedidentity/userassignedidentities/${NAME}|[a-z]{1,64}/[a-z]{1,64}/${NAME}(?:/[a-z]{1,64}/${NAME})?)$`,
)

const tenantOfIssuer = (issuer: string | null): string | undefined => {
  const [, first, second] = ISSUER.exec(issuer ?? '') ?? []
  return first ?? second
}

export const azureIdentity: Method = {
  keys: 'jwks',
  issuer: { pattern: ISSUER, jwksUri: (issuer) => `https://login.microsoftonline.com/${tenantOfIssuer(issuer)}/discovery/v2.0/keys` },
  algorithms: ['RS256'],
  bindings: ['pinned'],
  ruleNames: ['oid', 'xms_mirid', 'appid'],
  // An application id alone also admits what is not a managed identity.
  identifying: { oid: UUID, xms_mirid: RESOURCE },
  refusedRule: (name, rule) =>
    name === 'xms_mirid' && rule !== rule.toLowerCase() ? 'must be in lower case, as resource ids are compared' : undefined,
  selectors: selectorsOf('azure', { tid: 'tid', oid: 'oid', xms_mirid: 'mirid' }),
  verify: async (ctx, _, presented) => {
    const { claims, digest, expiresAt } = await verifyToken(ctx, presented)
    const { tid, oid, xms_mirid: resource, appid, azp } = claims
    requireEvidence(tid !== undefined && tid === tenantOfIssuer(presented.attestor.issuer), 'tenant')
    requireEvidence(typeof oid === 'string' && UUID.test(oid), 'subject')
    // Only managed identities have one.
    if (typeof resource !== 'string') return refuseEvidence('principal')
    const id = resource.toLowerCase()
    requireEvidence(factOf(resource).length === 1 && RESOURCE.test(id), 'principal')
    return { facts: { tid: factOf(tid), oid: factOf(oid), xms_mirid: [id], appid: factOf(appid ?? azp) }, digest, expiresAt }
  },
}
