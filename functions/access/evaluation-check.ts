// A hand-written parser for the usual question: subject, action and resource with names alone. It returns undefined for everything else, which the schema
// then parses. evaluation-check.test.ts compares the two.
import type * as z from 'zod'
import type { Evaluation } from './evaluation.schema.ts'

type Members = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)
const isName = (value: unknown, longest: number): value is string => typeof value === 'string' && value.length > 0 && value.length <= longest

/** An entity with a type and an id, and no properties. */
const entity = (value: unknown): { type: string; id: string } | undefined =>
  isObject(value) && value.properties === undefined && isName(value.type, 200) && isName(value.id, 500)
    ? { type: value.type, id: value.id }
    : undefined

export const quickEvaluation = (body: unknown): z.output<typeof Evaluation> | undefined => {
  if (!isObject(body) || body.context !== undefined) return undefined
  const [subject, resource, action] = [entity(body.subject), entity(body.resource), body.action]
  if (subject === undefined || resource === undefined) return undefined
  if (!isObject(action) || action.properties !== undefined || !isName(action.name, 200)) return undefined
  return { subject, action: { name: action.name }, resource }
}
