// State of the hosted pages between two requests of a browser: the address that is signing in, the language, and the message about the last form.
// Kept in an HttpOnly cookie; it grants nothing and proves nothing.
import * as z from 'zod/mini'
import { randomToken } from '#shared/kernel/random'
import type { PlatformRequestCtx } from '#shared/platform/context'
import type { Cookie } from '../route.ts'

const VISIT_SECONDS = 3600

const FlashMessage = z.object({
  /** The page that displays the message. */
  page: z.string(),
  /** Code of an error or of a completed action. */
  code: z.string(),
  field: z.optional(z.string()),
  /** Codes of the refused fields, where there are several. */
  fields: z.optional(z.record(z.string(), z.string())),
  /** Time of the next allowed attempt, in milliseconds. */
  until: z.optional(z.number()),
  /** The submitted values, without secrets. */
  typed: z.optional(z.record(z.string(), z.string())),
})
const VisitShape = z.object({
  /** Binds form tokens to this browser. */
  browser: z.string().check(z.regex(/^[\w-]{43}$/)),
  email: z.optional(z.string().check(z.maxLength(320))),
  lang: z.optional(z.string().check(z.maxLength(8))),
  said: z.optional(FlashMessage),
  /** Handles of steps in progress, by purpose. */
  held: z.optional(z.record(z.string(), z.string().check(z.maxLength(1000)))),
})
export type FlashMessage = z.output<typeof FlashMessage>
export type Visit = z.output<typeof VisitShape>

type Deps = Pick<PlatformRequestCtx, 'request' | 'random'>

/** Browsers accept a `__Host-` cookie only from this exact host (RFC 6265bis section 4.1.3.2). */
export const hostCookie = (name: string, secure: boolean): string => `${secure ? '__Host-' : ''}authsec_${name}`

/** The visit cookie of the request; undefined when it is absent or not written by us. */
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

/** The handles in progress with some added: a page about a code must refer to a code that was requested in this browser. */
export const withPendingFlow = (ctx: Pick<Deps, 'request'>, added: Readonly<Record<string, string>>): Pick<Visit, 'held'> => ({
  held: { ...readVisit(ctx)?.held, ...added },
})

/** Browsers drop longer cookies; the submitted values are left out first. */
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
