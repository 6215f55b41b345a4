// Some ten thousand malformed inputs against every route of every group, the same in each run: never an internal error, always a stable code, and
// no effect of a refused request.
import fc from 'fast-check'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { ERRORS, type ErrorCode } from '#shared/kernel/errors'
import { methodOf, type Route } from '#shared/platform/http/route'
import { examplesFor, type Input, inputFor, TOKEN_OF_THE_PAGE } from './fuzz-inputs.ts'
import {
  type EveryGroup,
  errorCodeIn,
  fillPath,
  fromOwnPage,
  isPage,
  type Listed,
  parametersOf,
  ROUTES,
  rows,
  startEveryGroup,
} from './routes/every-route.ts'

const INPUTS = 10_000
const RUNS = Math.ceil(INPUTS / ROUTES.length)
const SEED = 7468
const SECONDS_A_ROUTE = 60

let every: EveryGroup
beforeAll(async () => {
  every = await startEveryGroup()
})
afterEach(() => every.forget())

const mayHaveBody = (route: Route<never>): boolean => methodOf(route) !== 'GET'

const tokenFor = (listed: Listed, { credential: whose }: Input): Promise<string | undefined> | string | undefined =>
  whose === 'entitled' ? every.entitled(listed) : whose

const bodyOf = (listed: Listed, body: Input['body'], token: string | undefined): BodyInit | undefined =>
  typeof body === 'string' && isPage(listed.route) ? body.replaceAll(TOKEN_OF_THE_PAGE, every.formToken(listed, token)) : body

const send = async (listed: Listed, input: Input, token: string | undefined): Promise<Response> => {
  const { route } = listed
  const body = bodyOf(listed, input.body, token)
  const path = fillPath(route, Object.fromEntries(parametersOf(route).map((name, at) => [name, input.path[at] ?? ''])))
  return every.send(listed, {
    path: `${path}${input.query}`,
    headers: { ...(isPage(route) ? fromOwnPage(token) : {}), ...input.headers, 'content-type': input.type },
    ...(token === undefined ? {} : { token }),
    ...(body === undefined || !mayHaveBody(route) ? {} : { body }),
  })
}

/** A statement that only counts a guess; a write of any other column of these tables does not match. */
const GUESSES: readonly (readonly [table: string, statement: RegExp])[] = [
  ['pending_enrolments', /^update \S+ set "attempts" = \S+ \+ 1 where /],
  [
    'factors',
    /^update \S+ set "failed_attempts" = \(\S+ \+ 1\), "paused_until" = case when [^=]+ = 0 then \S+ \+ make_interval\(secs => [^=]+\) else null end where /,
  ],
]
const written = (table: string, sql: string): string =>
  GUESSES.some(([of, statement]) => of === table && statement.test(sql)) ? `guess: ${table}` : table

/** The tables changed by statements, and the recorded events with outcome done. */
const doneSince = (from: number) =>
  every.kept.slice(from).flatMap(({ statement: { text: sql, params } }) => {
    const table = /^\s*(?:insert into|update|delete from)\s+"?authsec"?\."?(\w+)"?/i.exec(sql)?.[1]
    if (table === undefined) return []
    return table !== 'audit_events'
      ? [written(table, sql)]
      : params.includes('success')
        ? [`done: ${params.find((each) => /^[a-z_]+\.[a-z_]+$/.test(String(each)))}`]
        : []
  })

/** Effects that a refusal may have: a key to seal its event, and the event that a platform administrator named a company, which is always recorded. */
const OF_ANY_REFUSAL = new Set(['data_keys', 'done: tenant.accessed'])
/** Counters that a rule writes although it refuses: wrong guesses, and the lock of an account. */
const OF_A_WRONG_GUESS = new Set([
  ...OF_ANY_REFUSAL,
  'users',
  'known_devices',
  'one_time_codes',
  'tickets',
  'sessions',
  'outbox_messages',
  'outbox_queue',
  'guess: pending_enrolments',
  'guess: factors',
  'done: user.locked',
])

const judge = async (listed: Listed, response: Response, before: { readonly kept: number; readonly handled: number }): Promise<void> => {
  if (response.status < 400) return void (await response.body?.cancel())
  const code = (await errorCodeIn(response)) as ErrorCode
  const text = await response.text()
  expect(ERRORS[code]?.status).toBe(response.status)
  // In the API's error shape, or on the error page.
  if (!text.startsWith('<')) expect(JSON.parse(text)).toMatchObject({ request_id: response.headers.get('x-request-id') })
  if (response.status >= 500) expect(listed.route.errors).toContain(code)
  const wasHandled = every.handled.length > before.handled
  const allowed = wasHandled ? OF_A_WRONG_GUESS : OF_ANY_REFUSAL
  expect(doneSince(before.kept).filter((what) => !allowed.has(what))).toEqual([])
}

/** Pages redirect signed-out visitors to the sign-in page. */
const isOver = (response: Response): boolean => response.status === 401 || (response.headers.get('location') ?? '').startsWith('/signin')

test.each(rows(() => true))(
  '%s',
  async (_, listed) => {
    let judged = 0
    await fc.assert(
      fc.asyncProperty(inputFor(listed.route), async (input) => {
        const token = await tokenFor(listed, input)
        const before = { kept: every.kept.length, handled: every.handled.length }
        const response = await send(listed, input, token)
        // The request signed the person out or changed the password: continue as another person.
        if (isOver(response) && input.credential === 'entitled') every.renew(listed)
        await judge(listed, response, before)
        judged += 1
      }),
      {
        seed: SEED,
        numRuns: RUNS,
        examples: examplesFor(listed.route),
        interruptAfterTimeLimit: SECONDS_A_ROUTE * 1000,
        markInterruptAsFailure: true,
        endOnFailure: true,
      },
    )
    expect(judged).toBeGreaterThan(0)
  },
  (SECONDS_A_ROUTE + 5) * 1000,
)

test('every form reached its rule', () => {
  const forms = ROUTES.filter(({ route }) => isPage(route) && route.form !== undefined).map(({ id }) => id)
  expect(forms.filter((id) => !every.handled.includes(id))).toEqual([])
})

test('the database refused no value: the schemas already refuse what it cannot store', () => {
  const lines = ROUTES.flatMap((listed) => every.appOf(listed).log.lines.filter((line) => line.includes('request_failed')))
  expect([...new Set(lines.filter((line) => line.includes('"invalid_request"') || line.includes('"internal"')))]).toEqual([])
})
