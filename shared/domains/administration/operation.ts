// What an endpoint does, told once for the administrators' path and the end users' path; where it stands and who may call is told by each group.
import type { RequestCtx } from '#shared/domains/context'
import type { Declaration, Schema } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'

type Input = Schema | undefined

/** A declaration without `id`, `on` and `access`. */
export type Operation<R, Path, Query, Body> = Omit<Declaration<RequestCtx, User, R, Path, Query, Body, undefined>, 'id' | 'on' | 'access'>

export const operation = <R, Path extends Input = undefined, Query extends Input = undefined, Body extends Input = undefined>(
  declaration: Operation<R, Path, Query, Body>,
): Operation<R, Path, Query, Body> => declaration
