// The single, batch and subset endpoints decide every question alike.
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { type AccessWorld, accessWorld, evaluationRequest, INVOICE, invoice, OTHER_INVOICE, user } from '#tests/support/access-world'
import { accessRoutes } from './routes.ts'

let w: AccessWorld
beforeAll(async () => {
  w = await accessWorld(accessRoutes)
})

type Evaluated = { readonly evaluations: readonly { readonly decision: boolean }[] }
type Which = {
  readonly which: readonly number[]
  readonly errors: readonly { readonly at: number; readonly status: number; readonly message: string }[]
}
const which = async (body: object, authorization?: string): Promise<Which> => {
  const answer = await w.post('which', body, authorization)
  expect(answer.status).toBe(200)
  return answer.body as Which
}

const ACTIONS = ['read', 'write', 'delete', 'approve'] as const
const questions = fc.record({
  subject: fc.constantFrom('pat', 'sam', 'unknown', 'robot'),
  action: fc.constantFrom(...ACTIONS),
  resource: fc.constantFrom(INVOICE, OTHER_INVOICE, 'invoice-7'),
  type: fc.constantFrom('invoice', 'invoice', 'spaceship'),
  mfa: fc.option(fc.boolean(), { nil: undefined }),
  /** Most questions are well-formed. */
  broken: fc.constantFrom(false, false, false, true),
})

test('single, batch and subset decisions agree on every question, for people, backends and malformed questions', { timeout: 120_000 }, async () => {
  const subjects = {
    pat: user(w.pat),
    sam: user(w.sam),
    unknown: user({ id: w.app.ctx.random.id() }),
    robot: { type: 'robot', id: 'r2' },
  }
  const seen = { allowed: 0, denied: 0, errors: 0 }
  const callers = [undefined, await w.signedIn(w.pat), await w.signedIn(w.sam)]
  await fc.assert(
    fc.asyncProperty(fc.array(questions, { minLength: 1, maxLength: 6 }), fc.nat({ max: 2 }), async (request, caller) => {
      const bodies = request.map(({ subject, action, resource, type, mfa, broken }) =>
        evaluationRequest(subjects[subject], action, broken ? { type } : { type, id: resource }, mfa === undefined ? {} : { context: { mfa } }),
      )
      const single = await Promise.all(bodies.map((body) => w.post('evaluation', body, callers[caller])))
      const batch = (await w.post('evaluations', { evaluations: bodies }, callers[caller])).body as Evaluated
      const chosen = await which({ evaluations: bodies }, callers[caller])
      const allowed = single.map((answer) => answer.status === 200 && (answer.body as { decision: boolean }).decision)
      expect(batch.evaluations.map(({ decision }) => decision)).toEqual(allowed)
      expect(chosen.which).toEqual(allowed.flatMap((is, at) => (is ? [at] : [])))
      expect(chosen.errors.map(({ at, status }) => [at, status])).toEqual(single.flatMap(({ status }, at) => (status === 200 ? [] : [[at, status]])))
      seen.allowed += chosen.which.length
      seen.errors += chosen.errors.length
      seen.denied += request.length - chosen.which.length - chosen.errors.length
    }),
    { numRuns: 300, seed: 20_261_124 },
  )
  expect(Math.min(seen.allowed, seen.denied, seen.errors)).toBeGreaterThan(50)
})

test('accepts 1,000 questions with defaults; 1,001 or none is 400', async () => {
  const evaluations = Array.from({ length: 1000 }, (_, n) => ({ action: { name: n % 10 === 0 ? 'read' : 'approve' } }))
  const defaults = { subject: user(w.pat), resource: invoice() }
  const { which: allowed, errors } = await which({ ...defaults, evaluations })
  expect(allowed).toEqual(evaluations.flatMap((_, n) => (n % 10 === 0 ? [n] : [])))
  expect(errors).toEqual([])
  for (const wrong of [[...evaluations, {}], []])
    expect(await w.post('which', { ...defaults, evaluations: wrong })).toMatchObject({ status: 400, body: { field: 'body.evaluations' } })
})

test('reports a malformed question by its position and decides the others', async () => {
  const evaluations = [{}, { action: {} }, { resource: 7 }, {}]
  const answer = await which({
    subject: user(w.pat),
    resource: invoice(),
    action: { name: 'read' },
    evaluations: [...evaluations, { subject: user(w.sam), action: { name: 7 } }],
  })
  expect(answer.which).toEqual([0, 1, 3])
  expect(answer.errors).toMatchObject([
    { at: 2, status: 400, message: expect.stringMatching(/^resource: /) },
    { at: 4, status: 400, message: expect.stringMatching(/^action\.name: /) },
  ])
})
