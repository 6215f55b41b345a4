// A schema of the document as rows that a person can read.
import type { Json, JsonSchema, OpenApiDocument, Ref } from '#shared/platform/openapi/document'

export type DocumentedField = { readonly name: string; readonly type: string; readonly required: boolean; readonly note: string }

const MAX_DEPTH = 4

const isSchema = (value: Json | undefined): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value)
const schemaOf = (value: Json | undefined): JsonSchema => (isSchema(value) ? value : {})
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])

export const fieldTypeName = (ref: Ref): string => ref.$ref.split('/').pop() ?? ''

/** The schema behind a reference, or itself. */
const resolved = (document: OpenApiDocument, schema: JsonSchema): JsonSchema =>
  typeof schema.$ref === 'string' ? (document.components.schemas[fieldTypeName({ $ref: schema.$ref })] ?? {}) : schema

const shown = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value))

const typeOf = (document: OpenApiDocument, given: JsonSchema): string => {
  const schema = resolved(document, given)
  if (schema.const !== undefined) return `always ${shown(schema.const)}`
  if (schema.enum !== undefined) return `one of ${listOf(schema.enum).map(shown).join(', ')}`
  const choices = listOf(schema.anyOf ?? schema.oneOf)
  if (choices.length > 0) return choices.map((choice) => typeOf(document, schemaOf(choice))).join(' or ')
  if (schema.type === 'array') return `list of ${typeOf(document, schemaOf(schema.items))}`
  const type = typeof schema.type === 'string' ? schema.type : 'anything'
  return typeof schema.format === 'string' ? `${type} (${schema.format})` : type
}

const BOUNDS: readonly (readonly [string, (value: string) => string])[] = [
  ['minLength', (value) => `at least ${value} long`],
  ['maxLength', (value) => `at most ${value} long`],
  ['minimum', (value) => `at least ${value}`],
  ['maximum', (value) => `at most ${value}`],
  ['pattern', (value) => `matches ${value}`],
  ['default', (value) => `${value} unless told`],
]

const noteOf = (document: OpenApiDocument, given: JsonSchema): string => {
  const schema = resolved(document, given)
  const bounds = BOUNDS.flatMap(([keyword, say]) => (schema[keyword] === undefined ? [] : [say(shown(schema[keyword]))]))
  return [...(typeof schema.description === 'string' ? [schema.description.replace(/\.$/, '')] : []), ...bounds].join('; ')
}

/** The object inside: itself, the items of a list, what may also be null. */
const inner = (document: OpenApiDocument, given: JsonSchema): { readonly suffix: string; readonly schema: JsonSchema } | undefined => {
  const schema = resolved(document, given)
  if (isSchema(schema.properties)) return { suffix: '', schema }
  if (schema.type === 'array') {
    const items = inner(document, schemaOf(schema.items))
    return items && { suffix: `[]${items.suffix}`, schema: items.schema }
  }
  for (const choice of listOf(schema.anyOf)) {
    const one = inner(document, schemaOf(choice))
    if (one) return one
  }
  return undefined
}

const below = (document: OpenApiDocument, schema: JsonSchema, prefix: string, depth: number): DocumentedField[] => {
  const required = listOf(schema.required)
  return Object.entries(schemaOf(schema.properties)).flatMap(([name, value]) => {
    const member = schemaOf(value)
    const found = inner(document, member)
    const row = { name: `${prefix}${name}`, type: typeOf(document, member), required: required.includes(name), note: noteOf(document, member) }
    return [row, ...(found && depth < MAX_DEPTH ? below(document, found.schema, `${prefix}${name}${found.suffix}.`, depth + 1) : [])]
  })
}

/** Members of an object schema, nested ones as `actor.id`. */
export const documentedFields = (document: OpenApiDocument, ref: Ref): readonly DocumentedField[] => {
  const found = inner(document, { $ref: ref.$ref })
  return found === undefined ? [] : below(document, found.schema, '', 0)
}

/** One value, such as a parameter. */
export const documentedField = (document: OpenApiDocument, name: string, required: boolean, ref: Ref): DocumentedField => {
  const schema = { $ref: ref.$ref }
  return { name, type: typeOf(document, schema), required, note: noteOf(document, schema) }
}
