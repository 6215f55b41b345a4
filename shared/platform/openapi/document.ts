// Types of the part of OpenAPI 3.1 that the generator writes.
import type { Access, StepUp } from '#shared/platform/http/access'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }
/** JSON Schema 2020-12. */
export type JsonSchema = { readonly [keyword: string]: Json }
export type Ref = { readonly $ref: string }

export type Parameter = {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  readonly description?: string
  readonly schema: Ref
}
export type Content = Readonly<Record<string, { readonly schema: Ref | { readonly anyOf: readonly Ref[] } }>>
export type Header = Ref | { readonly description?: string; readonly schema: Ref }
export type Response = {
  readonly description: string
  readonly headers: Readonly<Record<string, Header>>
  readonly content?: Content
  /** Possible values of `code` for this status. */
  readonly 'x-error-codes'?: { readonly enum: readonly string[] }
}

/** Who may call, and the rate limit. */
export type AccessNote = {
  readonly rule: Access<never>['rule']
  readonly why?: string
  readonly permissions?: readonly string[]
  /** A signed-in person may call it too. */
  readonly orUser?: boolean
  readonly stepUp?: StepUp
  readonly limit: { readonly class: string; readonly perMinuteAndAddress: number; readonly perMinuteAndAccount?: number; readonly account?: string }
}

export type Operation = {
  readonly operationId: string
  readonly summary: string
  /** Who may call it, how often, and which audit events it writes; Markdown. */
  readonly description: string
  readonly tags: readonly string[]
  readonly security: readonly Readonly<Record<string, readonly string[]>>[]
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly required: boolean; readonly content: Content }
  readonly responses: Readonly<Record<string, Response | Ref>>
  /** All error codes of the operation; the responses have their statuses and texts. */
  readonly 'x-errors': readonly string[]
  readonly 'x-access': AccessNote
  readonly 'x-audit-events': readonly string[]
}

export type OpenApiDocument = {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly servers: readonly { readonly url: string }[]
  readonly tags: readonly { readonly name: string; readonly description: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>
    readonly headers: Readonly<Record<string, Header>>
    readonly responses: Readonly<Record<string, Response>>
    readonly schemas: Readonly<Record<string, JsonSchema>>
  }
}

/** All operations with path and method, in document order. */
export const operationsOf = (document: OpenApiDocument): { readonly method: string; readonly path: string; readonly operation: Operation }[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  )

/** The response of an operation, with its reference resolved. */
export const responseOf = (document: OpenApiDocument, response: Response | Ref): Response => {
  if (!('$ref' in response)) return response
  const named = document.components.responses[response.$ref.split('/').pop() ?? '']
  if (named === undefined) throw new Error(`${response.$ref} is not in the document.`)
  return named
}
