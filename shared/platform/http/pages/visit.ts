// What the hosted pages remember in the browser between two of its requests: which address is signing in, in which language, and what to say about the last
// form that was sent. In a cookie that no script reads; it opens nothing and proves nothing.
import * as z from 'zod/mini'
import { randomToken } from '#shared/kernel/random'
import type { PlatformRequestCtx } from '#shared/platform/context'
import type { Cookie } from '../route.ts'

const VISIT_SECONDS = 3600

const FlashMessage = z.object({
  /** The page that it is said on. */
  page: z.string(),
  /** Code of an error, or of something done. */
  code: z.string(),
  field: z.optional(z.string()),
  /** When to try again, in milliseconds. */
  until: z.optional(z.number()),
  /** What was typed, but for secrets. */
  typed: z.optional(z.record(z.string(), z.string())),
})
const VisitShape = z.object({
  /** Ties the forms to this browser. */
  browser: z.string().check(z.regex(/^[\w-]{43}$/)),
  email: z.optional(z.string().check(z.maxLength(320))),
  lang: z.optional(z.string().check(z.maxLength(8))),
  said: z.optional(FlashMessage),
  /** Handles of steps that were begun, by their purpose. */
  held: z.optional(z.record(z.string(), z.string().check(z.maxLength(1000)))),
})
export type FlashMessage = z.output<typeof FlashMessage>
export type Visit = z.output<typeof VisitShape>

type Deps = Pick<PlatformRequestCtx, 'request' | 'random'>

/** A browser keeps what says `__Host-` only for this very host, from us (RFC 6265bis section 4.1.3.2). */
export const hostCookie = (name: string, secure: boolean): string => `${secure ? '__Host-' : ''}authsec_${name}`

/** What the request brought; undefined for a first visit, and for what we did not write. */
export const readVisit = ({ request }: Pick<Deps, 'request'>): Visit | undefined => {
  const text = request.cookie(hostCookie('visit', request.secure))
  if (text === undefined) return undefined
  try {
    return VisitShape.parse(JSON.parse(Buffer.from(text, 'base64url').toString()))
  } catch {
    return undefined
  }
}

export const currentVisit = (ctx: Deps): Visit => readVisit(ctx) ?? { browser: randomToken(ctx.random) }

/** What this browser has begun, with one more: a page that speaks of a code speaks of one that was asked for here. */
export const withPendingFlow = (ctx: Pick<Deps, 'request'>, begun: Readonly<Record<string, string>>): Pick<Visit, 'held'> => ({
  held: { ...readVisit(ctx)?.held, ...begun },
})

/** Longer than browsers keep; what was typed goes first. */
const LONGEST_COOKIE = 3500

export const visitCookie = ({ request }: Pick<Deps, 'request'>, visit: Visit): Cookie => {
  const encode = (value: Visit): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const whole = encode(visit)
  const { typed: _, ...reported } = visit.said ?? { page: '', code: '' }
  return {
    name: hostCookie('visit', request.secure),
    value: whole.length > LONGEST_COOKIE ? encode({ ...visit, said: reported.page === '' ? undefined : reported }) : whole,
    maxAgeSeconds: VISIT_SECONDS,
    sameSite: 'Lax',
  }
}
