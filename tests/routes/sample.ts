// A valid body for a schema, for tests: the schema's own example, otherwise each member with the simplest accepted value.
import * as z from 'zod'
import type { Schema } from '#shared/platform/http/route'

/** Placeholder for the caller's own tenant, whose id a test knows when it sends. */
export const OWN_TENANT = '0190aaaa-bbbb-7ccc-8ddd-000000000001'

type Json = Readonly<Record<string, unknown>>

const OF_FORMAT: Readonly<Record<string, string>> = {
  uuid: '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee',
  email: 'sample@sample.example',
  'date-time': '2026-03-02T09:00:00.000Z',
  uri: 'https://sample.example/',
  ipv4: '192.0.2.1',
}

const textOf = ({ format, pattern, minLength }: Json): string => {
  if (typeof format === 'string' && OF_FORMAT[format] !== undefined) return OF_FORMAT[format]
  if (pattern === '^\\d{6}$') return '000000'
  if (pattern === '^\\d{2}$') return '00'
  return 'sample'.padEnd(typeof minLength === 'number' ? minLength : 0, 'x')
}

type Named = Readonly<Record<string, Json>>

const itemsOf = ({ items, minItems }: Json, named: Named): unknown[] => {
  const item = (items ?? {}) as Json
  if (Object.keys(item).length > 0) return [sampleValue(item, named)]
  // As many items as required.
  return Array(typeof minItems === 'number' ? minItems : 0).fill({})
}

const sampleValue = (schema: Json, named: Named): unknown => {
  if (typeof schema.$ref === 'string') return sampleValue(named[schema.$ref.replace('#/$defs/', '')] ?? {}, named)
  if (Array.isArray(schema.examples)) return schema.examples[0]
  if (schema.const !== undefined) return schema.const
  if (Array.isArray(schema.enum)) return schema.enum[0]
  if (Array.isArray(schema.anyOf)) return sampleValue(schema.anyOf[0] as Json, named)
  if (Array.isArray(schema.oneOf)) return sampleValue(schema.oneOf[0] as Json, named)
  switch (schema.type) {
    case 'string':
      return textOf(schema)
    case 'integer':
    case 'number':
      return typeof schema.minimum === 'number' ? Math.max(1, schema.minimum) : 1
    case 'boolean':
      return true
    case 'array':
      return itemsOf(schema, named)
    case 'object':
      return membersOf(schema, named)
    default:
      return null
  }
}

const membersOf = (schema: Json, named: Named): Json =>
  Object.fromEntries(
    Object.entries((schema.properties ?? {}) as Named).map(([name, member]) => [
      name,
      name === 'tenant_id' ? OWN_TENANT : sampleValue(member, named),
    ]),
  )

const newSample = (schema: Schema): Json => {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Json
  const named = (json.$defs ?? {}) as Named
  const whole = typeof json.$ref === 'string' ? (named[json.$ref.replace('#/$defs/', '')] ?? {}) : json
  return Array.isArray(whole.examples) ? (whole.examples[0] as Json) : membersOf(whole, named)
}

const samples = new WeakMap<Schema, Json>()
/** A schema that it cannot fill needs a branch here: the tests check that the sample is valid. */
export const sampleOf = (schema: Schema): Json => {
  const known = samples.get(schema) ?? newSample(schema)
  samples.set(schema, known)
  return known
}
