// A hand-written check of the common policy question without context; any other body is left to the schema. policy-question-check.test.ts compares the two.

import type * as z from 'zod'
import { isUuid } from '#shared/kernel/ids'
import type { PolicyQuestion } from './decisions.schema.ts'

const isName = (value: unknown, maxLength: number): value is string => typeof value === 'string' && value.length <= maxLength

export const quickPolicyQuestion = (body: unknown): z.output<typeof PolicyQuestion> | undefined => {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined
  const { principal_id, resource, action, scope_id, scope_type, context } = body as Readonly<Record<string, unknown>>
  if (context !== undefined || !isUuid(principal_id) || !isName(resource, 200) || !isName(action, 200) || resource === '' || action === '')
    return undefined
  if ((scope_id !== undefined && !isUuid(scope_id)) || (scope_type !== undefined && !isName(scope_type, 100))) return undefined
  return { principal_id, resource, action, ...(scope_id === undefined ? {} : { scope_id }), ...(scope_type === undefined ? {} : { scope_type }) }
}
