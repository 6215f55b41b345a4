// An endpoint is data. `mount` turns it into a route, `openapi` into documentation, and `table.test.ts` into refusal tests.
import type * as z from 'zod'
import type { ErrorCode } from '#shared/kernel/errors'
import type { AuditEvent } from '#shared/platform/audit/events'
import type { Access } from './access.ts'
import type { ErrorRenderer } from './problem.ts'
import type { PreparedResponse } from './response-headers.ts'

/** The light constraint: `z.ZodType` triples the cost of type-checking. */
export type Schema = z.core.$ZodType
type Input = Schema | undefined
type Parsed<S> = S extends Schema ? z.output<S> : undefined

export type Cookie = {
  readonly name: string
  readonly value: string
  readonly maxAgeSeconds: number
  readonly sameSite: 'Lax' | 'None' | 'Strict'
  /** Path, `/` by default. */
  readonly path?: string
}

/** A result with cookies or headers. */
export class HttpResult<R> {
  readonly result: R
  readonly cookies: readonly Cookie[]
  readonly headers: Readonly<Record<string, string>>
  constructor(result: R, more: { readonly cookies?: readonly Cookie[]; readonly headers?: Readonly<Record<string, string>> } = {}) {
    this.result = result
    this.cookies = more.cookies ?? []
    this.headers = more.headers ?? {}
  }
}

/** A document that is the same for every caller. Its owner keeps the instance until the content changes, so that the answer is built once. */
export class ConstantResult extends HttpResult<string> {
  /** The answer by route. */
  readonly answers = new Map<object, PreparedResponse>()
  constructor(body: string, etag: string) {
    super(body, { headers: { ETag: etag } })
  }
}

type Status = 200 | 201 | 202 | 204 | 206 | 302 | 303 | 428 | 503
type Variant = { readonly status: Status; readonly schema?: Schema; readonly type: string; readonly headers?: Readonly<Record<string, string>> }
/** The allow-list of what leaves. With several variants the handler chooses one by status. */
export type Reply<R> = { readonly variants: readonly Variant[]; readonly bare: boolean; readonly result?: R }

type Headers = Readonly<Record<string, string>>
/** A JSON body; members that the schema does not list never leave. */
export const json = <S extends Schema>(status: Status, schema: S, headers?: Headers): Reply<z.input<S>> => ({
  variants: [{ status, schema, type: 'application/json', ...(headers ? { headers } : {}) }],
  bare: true,
})
/** Text of another media type: a page, metrics, JSON lines. The handler returns the text or a stream. */
export const text = (status: Status, type: string, headers?: Headers): Reply<string | ReadableStream<Uint8Array>> => ({
  variants: [{ status, type, ...(headers ? { headers } : {}) }],
  bare: true,
})
export const html = (status: Status): Reply<string> => ({ variants: [{ status, type: 'text/html; charset=utf-8' }], bare: true })
/** A page, or a redirect to another one. */
export const htmlOrRedirect = (): Reply<StatusResult<200, string> | StatusResult<303, undefined>> => ({
  variants: [
    { status: 200, type: 'text/html; charset=utf-8' },
    { status: 303, type: '' },
  ],
  bare: false,
})
export const empty = (status: 204 | 302 | 303): Reply<undefined> => ({ variants: [{ status, type: '' }], bare: true })

export type StatusResult<S extends number, R> = { readonly status: S; readonly body: R }
/** Chooses a variant of the reply by its status. */
export const withStatus = <S extends Status, R>(status: S, body: R): StatusResult<S, R> => ({ status, body })
type Choices = Readonly<Partial<Record<Status, Schema>>>
type Choice<C extends Choices> = { [S in keyof C & number]: C[S] extends Schema ? StatusResult<S, z.input<C[S]>> : never }[keyof C & number]
/** Several JSON replies by status. */
export const oneOfStatuses = <C extends Choices>(choices: C): Reply<Choice<C>> => ({
  variants: Object.entries(choices).map(([status, schema]) => ({
    status: Number(status) as Status,
    schema: schema as Schema,
    type: 'application/json',
  })),
  bare: false,
})

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

type TenantName = 'tenant_id' | 'tenantId'
/** A member of a request part that names a tenant. */
type Naming<Part extends string, S> = S extends Schema
  ? `${Part}.${unknown extends z.output<S> ? TenantName : TenantName & keyof z.output<S>}`
  : never

export type Declaration<Ctx, P, R, Path, Query, Body, Form> = {
  /** operationId */
  readonly id: string
  /** Method and full public path; parameters as `:name`. */
  readonly on: `${Method} /${string}`
  readonly summary: string
  readonly access: Access<P>
  readonly path?: Path
  readonly query?: Query
  readonly body?: Body
  /** Media type of the body, by default `application/json`; for another type the schema gets the text. */
  readonly bodyType?: 'application/json' | 'text/csv'
  readonly form?: Form
  /** The body may also be sent as `application/x-www-form-urlencoded`; its members are then texts. */
  readonly orForm?: true
  /** Parameters of the query or the form that may be sent more than once; the rule gets the values separated by spaces. */
  readonly repeatable?: readonly string[]
  /** In optional members of the body, null and empty text mean absent. Always so where AuthSec's clients call. */
  readonly emptyIsAbsent?: true
  /**
   * The member in which a platform administrator may name another tenant for the rule to act in (`actingTenant`). Without it such a request is
   * refused: a rule that ignored the member would silently act in the platform's own tenant.
   */
  readonly actsIn?: Naming<'path', NoInfer<Path>> | Naming<'query', NoInfer<Query>> | Naming<'body', NoInfer<Body>>
  readonly reply: Reply<R>
  /** Errors that the rule may throw; errors of access and parsing are implied. */
  readonly errors: readonly ErrorCode[]
  /** Audit events that the rule writes; `record` refuses any other. */
  readonly emits: readonly AuditEvent[] | 'nothing'
  /** Value of Cache-Control; the default is `no-store`. */
  readonly cache?: string
  /** Largest body in bytes; 1 MiB by default. */
  readonly maxBodyBytes?: number
  /** Renderer of its errors, when it differs from the group's. */
  readonly render?: ErrorRenderer
  readonly handle: (call: {
    ctx: Ctx
    principal: P
    path: Parsed<Path>
    query: Parsed<Query>
    body: Parsed<Body>
    form: Parsed<Form>
  }) => Promise<NoInfer<R> | HttpResult<NoInfer<R>>>
}

export type Route<Ctx> = Declaration<Ctx, never, unknown, Input, Input, Input, Input>
/** A route of which a function knows method and path, and loads the rest with the first request for it: see infra/bundle/lazy-routes.ts. */
export type LazyRoute<Ctx> = Pick<Route<Ctx>, 'on'> & { readonly load: () => Promise<Route<Ctx>> }
export type MountableRoute<Ctx> = Route<Ctx> | LazyRoute<Ctx>

/** Use `const route = routeFor<Ctx>()` once per group, in group.ts. A declaration without `access` does not compile. */
export const routeFor =
  <Ctx>() =>
  <P, R, Path extends Input = undefined, Query extends Input = undefined, Body extends Input = undefined, Form extends Input = undefined>(
    declaration: Declaration<Ctx, P, R, Path, Query, Body, Form>,
  ): Route<Ctx> =>
    declaration as unknown as Route<Ctx>

export const methodOf = (route: { readonly on: string }): Method => route.on.slice(0, route.on.indexOf(' ')) as Method
export const pathOf = (route: { readonly on: string }): string => route.on.slice(route.on.indexOf(' ') + 1)
/** Whether AuthSec's clients call it: below its prefix, or at the root path that older SDKs use. */
export const isAuthsecPath = (path: string): boolean => path.startsWith('/authsec') || path.startsWith('/sdkmgr/')
