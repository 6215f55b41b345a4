// The reply of AWS's token service to GetCallerIdentity: one element path of one namespace, or nothing.
import type { OutboundResponse } from '#shared/platform/fetch/guarded'
import { elementsIn, isElementNamed, onlyChild, parseXml, plainXml, textOf } from '#shared/platform/xml/strict-xml'
import { refuseEvidence, requireEvidence } from '../refusal.ts'

const MAX_REPLY_BYTES = 16 * 1024
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

export type CallerIdentity = { readonly arn: string; readonly userId: string; readonly account: string }

/** @throws EvidenceRefusal signature, sts_reply */
export const readCallerIdentity = (reply: OutboundResponse): CallerIdentity => {
  requireEvidence(reply.status === 200, 'signature')
  const type = reply.header('content-type')?.split(';')[0]?.trim()
  requireEvidence(type === 'text/xml' && reply.body.byteLength <= MAX_REPLY_BYTES, 'sts_reply')
  try {
    const root = parseXml(plainXml(new TextDecoder('utf-8', { fatal: true }).decode(reply.body)))
    const known = elementsIn(root).every((child) => ['GetCallerIdentityResult', 'ResponseMetadata'].includes(child.localName))
    requireEvidence(isElementNamed(root, NAMESPACE, 'GetCallerIdentityResponse') && known, 'sts_reply')
    const result = onlyChild(root, NAMESPACE, 'GetCallerIdentityResult')
    const text = (name: string): string => textOf(onlyChild(result, NAMESPACE, name))
    return { arn: text('Arn'), userId: text('UserId'), account: text('Account') }
  } catch (error) {
    return refuseEvidence('sts_reply', error)
  }
}
