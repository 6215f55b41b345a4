// One suite, run twice over HTTP: against every function as it ships, each in its own process behind the Runtime API and a gateway, and against `npm run dev`. Both systems must give the same responses.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { GROUPS } from '../../apps/groups.ts'
import { builtGroups } from '../../infra/bundle/build.ts'
import { ROUTES } from '../routes/every-route.ts'
import { type ComparableAnswer, comparableAnswer, textOf } from './answers.ts'
import { STORIES, type Story } from './stories.ts'
import { requestsOf } from './sweep.ts'
import { type Box, startBoth } from './systems.ts'

/** Several hundred requests to each of two systems: minutes on a busy machine. */
const A_GROUP_MS = 900_000

let boxes: readonly [Box, Box]
beforeAll(async () => {
  boxes = await startBoth()
}, A_GROUP_MS)
afterAll(() => Promise.all(boxes.map((box) => box.close())))

type Responses = Readonly<Record<string, ComparableAnswer>>

/** Every request to every route of a group, in order. */
const sweep = async (box: Box, group: string): Promise<Responses> => {
  const responses: Record<string, ComparableAnswer> = {}
  for (const listed of ROUTES.filter((each) => each.group.name === group)) {
    for (const { what, request } of await requestsOf(box, listed)) responses[`${listed.id}, ${what}`] = comparableAnswer(await box.send(request))
  }
  return responses
}

/** Responses that differ, or that are unexpected server errors. */
const differing = (one: Responses, other: Responses): readonly string[] =>
  Object.keys(one).filter((key) => JSON.stringify(one[key]) !== JSON.stringify(other[key]) || (one[key]?.status ?? 0) === 500)
const only = (responses: Responses, keys: readonly string[]): Responses =>
  Object.fromEntries(keys.flatMap((key) => (responses[key] ? [[key, responses[key]]] : [])))

/** The differences, one line each: reports keep only the beginning of a message. */
const reportOf = (keys: readonly string[], one: Responses, other: Responses): string =>
  keys.map((key) => `${key}: ${JSON.stringify(one[key])?.slice(0, 300)} but ${JSON.stringify(other[key])?.slice(0, 300)}\n`).join('')

/** Responses that depend on a driver: a local system captures the text messages that production without Twilio cannot send. */
const BY_DRIVER: readonly string[] = ['accountPages.sendPhoneCode, a permitted caller']

test.each(GROUPS.map(({ name }) => name))('%s: every route gives the same responses in both systems', { timeout: A_GROUP_MS }, async (group) => {
  const [functions = {}, local = {}] = await Promise.all(boxes.map((box) => sweep(box, group)))
  const keys = differing(functions, local).filter((key) => !BY_DRIVER.includes(key))
  expect(
    only(functions, keys),
    keys.length === 0 ? '' : reportOf(keys, functions, local) + boxes.map((box) => box.log(group).slice(-1500)).join('\n'),
  ).toEqual(only(local, keys))
  expect(keys).toEqual([])
})

/** The responses of one story, in order. */
const walk = async (box: Box, story: Story): Promise<Responses> => {
  const responses: Record<string, ComparableAnswer> = {}
  await story(box, async (what, request) => {
    const answer = await box.send(request)
    responses[what] = comparableAnswer(answer)
    return answer
  })
  return responses
}

test.each(Object.entries(STORIES))('%s: both systems give the same response in every step', { timeout: A_GROUP_MS }, async (_, story) => {
  const [functions = {}, local = {}] = await Promise.all(boxes.map((box) => walk(box, story)))
  const keys = differing(functions, local)
  expect(only(functions, keys)).toEqual(only(local, keys))
  expect(keys).toEqual([])
  expect(Object.keys(functions)).toEqual(Object.keys(local))
  // A story that fails in its first step would also be the same in both systems.
  expect(new Set(Object.values(functions).map(({ status }) => status)).size).toBeGreaterThan(2)
})

test('unknown paths and unknown hosts are refused by both; local routes exist only in the local system', async () => {
  const [functions, local] = boxes
  for (const path of ['/no/such/path', '/authsec/no', '/account/sessions/', '/.env']) {
    // The gateway answers these itself and starts no function.
    const answer = await functions.send({ path })
    expect([answer.status, textOf(answer)], path).toEqual([404, '{"message":"Not Found"}'])
    expect((await local.send({ path })).status, path).toBe(404)
  }
  expect((await functions.send({ path: '/docs' })).status).toBe(404)
  expect((await local.send({ path: '/docs' })).status).toBe(200)
  const elsewhere = { path: '/.well-known/jwks.json', headers: { host: 'elsewhere.example' } }
  expect((await functions.send(elsewhere)).status).toBe(421)
  expect((await local.send(elsewhere)).status).toBe(200)
})

test('every group was called through its own function', () => {
  expect([...boxes[0].started].toSorted()).toEqual(builtGroups())
})
