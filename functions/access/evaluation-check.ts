// The plain question, by hand: a subject, an action and a resource, each with its names alone. Whatever else is sent is the schema's; evaluation-check.test.ts
// holds this to it.
import type * as z from 'zod'
import type { Evaluation } from './evaluation.schema.ts'

type Members = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)
const isName = (value: unknown, longest: number): value is string => typeof value === 'string' && value.length > 0 && value.length <= longest

/** Type and id, and no properties. */
const entity = (value: unknown): { type: string; id: string } | undefined =>
  isObject(value) && value.properties === undefined && isName(value.type, 200) && isName(value.id, 500)
    ? { type: value.type, id: value.id }
    : undefined

export const quickEvaluation = (sent: unknown): z.output<typeof Evaluation> | undefined => {
  if (!isObject(sent) || sent.context !== undefined) return undefined
  const [subject, resource, action] = [entity(sent.subject), entity(sent.resource), sent.action]
  if (subject === undefined || resource === undefined) return undefined
  if (!isObject(action) || action.properties !== undefined || !isName(action.name, 200)) return undefined
  return { subject, action: { name: action.name }, resource }
}
