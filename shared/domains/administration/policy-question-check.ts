// The plain question about a right, by hand: who, what and where, without a context. Whatever else is sent is the schema's; policy-question-check.test.ts holds
// this to it.

import type * as z from 'zod'
import { isUuid } from '#shared/kernel/ids'
import type { PolicyQuestion } from './decisions.schema.ts'

const isName = (value: unknown, longest: number): value is string => typeof value === 'string' && value.length <= longest

export const quickPolicyQuestion = (sent: unknown): z.output<typeof PolicyQuestion> | undefined => {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return undefined
  const { principal_id, resource, action, scope_id, scope_type, context } = sent as Readonly<Record<string, unknown>>
  if (context !== undefined || !isUuid(principal_id) || !isName(resource, 200) || !isName(action, 200) || resource === '' || action === '')
    return undefined
  if ((scope_id !== undefined && !isUuid(scope_id)) || (scope_type !== undefined && !isName(scope_type, 100))) return undefined
  return { principal_id, resource, action, ...(scope_id === undefined ? {} : { scope_id }), ...(scope_type === undefined ? {} : { scope_type }) }
}
