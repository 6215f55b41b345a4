// The JSON Schemas that tenants write for their authorization details: a subset that describes closed objects and is cheap to validate. No patterns and no
// formats, because a pattern can be expensive to evaluate; no references and no remote schemas.
import { type Schema, Validator } from '@cfworker/json-schema'
import type { DetailLimit } from '#db/store/oauth-details'
import { AppError } from '#shared/kernel/errors'
import { UNSAFE_NAMES } from './details.ts'

type Json = Readonly<Record<string, unknown>>

const KEYWORDS: ReadonlySet<string> = new Set([
  ...['title', 'description', 'type', 'enum', 'const', 'properties', 'required', 'additionalProperties', 'items', 'minItems', 'maxItems'],
  ...['uniqueItems', 'minLength', 'maxLength', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minProperties', 'maxProperties'],
  ...['multipleOf'],
])
const DEEPEST = 6
const MOST_BYTES = 16_384
const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value)

const refused = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

const judgeNode = (node: unknown, at: string, depth: number): void => {
  if (!isObject(node)) throw refused(at, 'must be an object')
  if (depth > DEEPEST) throw refused(at, `is deeper than ${DEEPEST}`)
  const unknown = Object.keys(node).find((name) => !KEYWORDS.has(name))
  if (unknown !== undefined) throw refused(`${at}.${unknown.slice(0, 60)}`, 'is no keyword that is offered')
  if (typeof node.type !== 'string') throw refused(`${at}.type`, 'every part says its one type')
  if (node.items !== undefined) judgeNode(node.items, `${at}.items`, depth + 1)
  if (node.type === 'array' && node.items === undefined) throw refused(`${at}.items`, 'is missing')
  if (node.type !== 'object') return
  if (node.additionalProperties !== false) throw refused(`${at}.additionalProperties`, 'must be false')
  if (!isObject(node.properties)) throw refused(`${at}.properties`, 'is missing')
  for (const [name, child] of Object.entries(node.properties)) {
    if (UNSAFE_NAMES.has(name)) throw refused(`${at}.properties`, 'a name is not allowed')
    judgeNode(child, `${at}.properties.${name.slice(0, 60)}`, depth + 1)
  }
}

/** Whether a value conforms to a schema that was validated before. */
export const conformsTo = (schema: Json, value: unknown): boolean => new Validator(schema as Schema, '2020-12', true).validate(value).valid

const judgeLimit = ({ member, kind, currency_member: currency }: DetailLimit, properties: Json, required: readonly unknown[], at: string): void => {
  const typeOf = (name: string): unknown => (isObject(properties[name]) ? properties[name].type : undefined)
  if (typeOf(member) !== 'integer') throw refused(at, 'the schema has no integer member of this name')
  if (!required.includes(member)) throw refused(at, 'a member that limits must be required')
  if (kind === 'amount' && (currency === undefined || typeOf(currency) !== 'string' || !required.includes(currency)))
    throw refused(`${at}.currency_member`, 'an amount needs a required member that names its currency')
}

/** @throws AppError invalid_request, with the place */
export const validateDetailSchema = (schema: Json, limits: readonly DetailLimit[]): void => {
  if (Buffer.byteLength(JSON.stringify(schema)) > MOST_BYTES) throw refused('body.json_schema', `is larger than ${MOST_BYTES} bytes`)
  judgeNode(schema, 'body.json_schema', 1)
  if (schema.type !== 'object') throw refused('body.json_schema.type', 'must be object')
  const properties = schema.properties as Json
  if (!isObject(properties.type) || properties.type.type !== 'string') throw refused('body.json_schema.properties.type', 'must be a string')
  const required = Array.isArray(schema.required) ? (schema.required as unknown[]) : []
  for (const [index, limit] of limits.entries()) judgeLimit(limit, properties, required, `body.limits.${index}`)
  const kinds = limits.map(({ kind }) => kind)
  if (new Set(kinds).size < kinds.length) throw refused('body.limits', 'one limit of each kind')
  try {
    conformsTo(schema, {})
  } catch {
    throw refused('body.json_schema', 'cannot be used')
  }
}
