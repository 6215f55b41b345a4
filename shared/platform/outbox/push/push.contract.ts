// What every way of sending a push promises; each runs the whole suite.
import { expect, test } from 'vitest'
import type { Push, PushMessage, PushTarget } from './push.ts'

/** A message as it came out at the other end. */
export type ReceivedPush = Pick<PushMessage, 'title' | 'body' | 'data' | 'ttlSeconds'>
export type PushUnderTest = {
  readonly push: Push
  readonly target: PushTarget
  /** Nobody is behind it any more. */
  readonly gone: PushTarget
  /** Nothing can be delivered to it now. */
  readonly failing: PushTarget
  received(): readonly ReceivedPush[]
  close(): Promise<void>
}

export const samplePush: PushMessage = {
  title: 'Acme',
  body: 'Shop asks you to approve a sign-in: \u201cOrder 4711 \u2013 10 \u20ac\u201d',
  data: { type: 'ciba', auth_req_id: '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee' },
  ttlSeconds: 300,
}

export const pushContract = (name: string, open: () => Promise<PushUnderTest>): void => {
  const using = async (work: (under: PushUnderTest) => Promise<void>): Promise<void> => {
    const under = await open()
    try {
      await work(under)
    } finally {
      await under.close()
    }
  }

  test(`${name}: what is sent arrives as it was, and nothing besides`, () =>
    using(async ({ push, target, received }) => {
      expect(await push.send(target, samplePush)).toEqual({ result: 'sent' })
      expect(received()).toEqual([samplePush])
    }))

  test(`${name}: a token that is nobody\u2019s any more is told from one that cannot be reached now, and neither throws`, () =>
    using(async ({ push, gone, failing, received }) => {
      expect(await push.send(gone, samplePush)).toEqual({ result: 'gone' })
      expect(await push.send(failing, samplePush)).toMatchObject({ result: 'failed', reason: expect.stringMatching(/^\w+$/) })
      expect(received()).toEqual([])
    }))

  test(`${name}: many at once all arrive`, () =>
    using(async ({ push, target, received }) => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => push.send(target, { ...samplePush, title: `Acme ${n}` })))
      expect(
        received()
          .map(({ title }) => title)
          .toSorted(),
      ).toEqual(Array.from({ length: 20 }, (_, n) => `Acme ${n}`).toSorted())
    }))
}
