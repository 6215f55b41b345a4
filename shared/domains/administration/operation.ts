// An endpoint declared once for two paths; each group adds its own path and access.
import type { RequestCtx } from '#shared/domains/context'
import type { Declaration, Schema } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'

type Input = Schema | undefined

/** A route declaration without `id`, `on` and `access`. */
export type Operation<R, Path, Query, Body> = Omit<Declaration<RequestCtx, User, R, Path, Query, Body, undefined>, 'id' | 'on' | 'access'>

export const operation = <R, Path extends Input = undefined, Query extends Input = undefined, Body extends Input = undefined>(
  declaration: Operation<R, Path, Query, Body>,
): Operation<R, Path, Query, Body> => declaration
