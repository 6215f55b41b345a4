// The description of an operation: who may call it, how often, and which audit events it writes.
import type { AccessNote } from './document.ts'

const minutes = (seconds: number): string => (seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`)

const CALLER: Readonly<Record<AccessNote['rule'], (access: AccessNote) => string>> = {
  open: ({ why }) => `Open to everyone. ${why ?? ''}`,
  user: () => 'Requires a signed-in person.',
  userOrNobody: ({ why }) => `Requires a signed-in person, or the proof that the route names. ${why ?? ''}`,
  permission: ({ permissions = [] }) => `Requires a signed-in person who holds ${permissions.join(' and ')}.`,
  client: ({ permissions = [], orUser }) =>
    `Requires HTTP Basic client authentication${permissions.length === 0 ? '' : `; the client\u2019s service account holds ${permissions.join(' and ')}`}${orUser ? '. A signed-in person may call it too' : ''}.`,
  workload: () => 'Requires a workload that proves possession of its X.509-SVID (`SVID-Proof`).',
  page: ({ why }) => `A page for browsers, open to everyone. ${why ?? ''}`,
  browser: () => 'A page for a person who is signed in in this browser.',
  metrics: () => 'Requires the deployment\u2019s METRICS_TOKEN as a bearer token.',
}

const accessDescription = (access: AccessNote): string => {
  const { withinSeconds, acr, factor } = access.stepUp ?? {}
  const age = withinSeconds === undefined ? '' : ` The sign-in is at most ${minutes(withinSeconds)} old.`
  const strength =
    factor === undefined
      ? acr === undefined
        ? ''
        : ` Its authentication context is ${acr} or stronger.`
      : ' A passkey was used with user verification.'
  return `${CALLER[access.rule](access).trim()}${age}${strength}`
}

const limitDescription = ({ limit }: AccessNote): string => {
  const perAccount = limit.perMinuteAndAccount === undefined ? '' : ` and ${limit.perMinuteAndAccount} for one ${limit.account ?? 'account'}`
  return `Rate limit: ${limit.perMinuteAndAddress} requests a minute from one address${perAccount}.`
}

/** Markdown, one paragraph each for access, rate limit and audit events. */
export const operationDescription = (access: AccessNote, auditEvents: readonly string[]): string =>
  [
    accessDescription(access),
    limitDescription(access),
    ...(auditEvents.length === 0 ? [] : [`Audit events: ${auditEvents.map((event) => `\`${event}\``).join(', ')}.`]),
  ].join('\n\n')
