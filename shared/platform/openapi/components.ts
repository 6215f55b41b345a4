// Turns the schemas of route declarations into named components. A schema with an id keeps it; any other is named after its operation.
import * as z from 'zod'
import type { Schema } from '#shared/platform/http/route'
import type { Json, JsonSchema, Ref, Response } from './document.ts'

type Io = 'input' | 'output'

/** Formats that make zod's long patterns redundant. */
const FORMATS = new Set(['uuid', 'email', 'date-time', 'date', 'time', 'duration', 'uri', 'ipv4', 'ipv6'])
const NOT_OURS = new Set(['$schema', '$defs', 'id'])
/** Keywords that contain schemas by name: their members are names, not keywords. */
const BY_NAME = new Set(['properties', 'patternProperties', '$defs'])

const isObject = (value: Json | undefined): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value)

const byName = (members: JsonSchema, io: Io): JsonSchema =>
  Object.fromEntries(Object.entries(members).map(([name, member]) => [name, cleaned(member, io)]))

const dropped = (schema: JsonSchema, keyword: string, value: Json, io: Io): boolean =>
  NOT_OURS.has(keyword) ||
  // Replies have only the listed members, but a later version may add more, and clients must accept that.
  (keyword === 'additionalProperties' && value === false && io === 'output') ||
  (keyword === 'pattern' && FORMATS.has(String(schema.format))) ||
  (keyword === 'maximum' && value === Number.MAX_SAFE_INTEGER) ||
  (keyword === 'minimum' && value === Number.MIN_SAFE_INTEGER)

const cleaned = (schema: Json, io: Io): Json => {
  if (Array.isArray(schema)) return schema.map((member) => cleaned(member, io))
  if (!isObject(schema)) return schema
  return Object.fromEntries(
    Object.entries(schema).flatMap(([keyword, value]): [string, Json][] => {
      if (keyword === '$ref') return [[keyword, String(value).replace('#/$defs/', '#/components/schemas/')]]
      if (keyword === 'enum' || keyword === 'const' || keyword === 'default' || keyword === 'examples') return [[keyword, value]]
      if (BY_NAME.has(keyword) && isObject(value)) return [[keyword, byName(value, io)]]
      return dropped(schema, keyword, value, io) ? [] : [[keyword, cleaned(value, io)]]
    }),
  )
}

export type Components = {
  /**
   * A reference to the schema, named by its id or else `name`.
   * @throws Error when another schema has that name
   */
  ref(schema: Schema, io: Io, name: string): Ref
  /** The members of an object schema, each as a component. */
  members(schema: Schema, name: string): readonly { readonly name: string; readonly required: boolean; readonly schema: Ref }[]
  put(name: string, schema: JsonSchema): Ref
  respond(name: string, response: Response): Ref
  /** All components by name. */
  all(): { readonly responses: Readonly<Record<string, Response>>; readonly schemas: Readonly<Record<string, JsonSchema>> }
}

/** `auth.admin.login` -> `AuthAdminLogin`; `tenant_id` -> `TenantId`. */
export const pascal = (text: string): string =>
  text
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')

const sorted = <T>(named: ReadonlyMap<string, T>): Readonly<Record<string, T>> => Object.fromEntries([...named].sort(([a], [b]) => (a < b ? -1 : 1)))

export const createComponents = (): Components => {
  const schemas = new Map<string, JsonSchema>()
  const responses = new Map<string, Response>()

  const put = (name: string, schema: JsonSchema): Ref => {
    const known = schemas.get(name)
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema))
      throw new Error(`Two schemas are named ${name}; change the id of one.`)
    schemas.set(name, schema)
    return { $ref: `#/components/schemas/${name}` }
  }

  /** The schema, the schemas that it refers to, and its own id if it has one. */
  const converted = (schema: Schema, io: Io) => {
    const json = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as unknown as JsonSchema
    const named = byName(isObject(json.$defs) ? json.$defs : {}, io)
    const id = typeof json.$ref === 'string' ? json.$ref.replace('#/$defs/', '') : undefined
    const root = id === undefined ? cleaned(json, io) : named[id]
    if (!isObject(root)) throw new Error('The schema cannot be written as JSON Schema.')
    return { id, root, named: Object.entries(named).filter(([name]) => name !== id) as [string, JsonSchema][] }
  }

  return {
    put,
    ref: (schema, io, name) => {
      const { id, root, named } = converted(schema, io)
      for (const [other, json] of named) put(other, json)
      return put(id ?? name, root)
    },
    members: (schema, name) => {
      const { root, named } = converted(schema, 'input')
      for (const [other, json] of named) put(other, json)
      if (!isObject(root.properties)) throw new Error(`${name} is not an object.`)
      const required = Array.isArray(root.required) ? root.required : []
      return Object.entries(root.properties).map(([member, json]) => ({
        name: member,
        required: required.includes(member),
        schema: isObject(json) && typeof json.$ref === 'string' ? { $ref: json.$ref } : put(`${name}${pascal(member)}`, isObject(json) ? json : {}),
      }))
    },
    respond: (name, response) => {
      responses.set(name, response)
      return { $ref: `#/components/responses/${name}` }
    },
    all: () => ({ responses: sorted(responses), schemas: sorted(schemas) }),
  }
}
