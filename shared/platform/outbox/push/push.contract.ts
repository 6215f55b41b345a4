// The contract of every push sender.
import { expect, test } from 'vitest'
import type { Push, PushMessage, PushTarget } from './push.ts'

/** A message as received. */
export type ReceivedPush = Pick<PushMessage, 'title' | 'body' | 'data' | 'ttlSeconds'>
export type PushUnderTest = {
  readonly push: Push
  readonly target: PushTarget
  /** A target that is no longer registered. */
  readonly gone: PushTarget
  /** A target to which delivery fails for now. */
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

  test(`${name}: a message arrives unchanged, and nothing else does`, () =>
    using(async ({ push, target, received }) => {
      expect(await push.send(target, samplePush)).toEqual({ result: 'sent' })
      expect(received()).toEqual([samplePush])
    }))

  test(`${name}: an unregistered token and a failed delivery have different results, and neither throws`, () =>
    using(async ({ push, gone, failing, received }) => {
      expect(await push.send(gone, samplePush)).toEqual({ result: 'gone' })
      expect(await push.send(failing, samplePush)).toMatchObject({ result: 'failed', reason: expect.stringMatching(/^\w+$/) })
      expect(received()).toEqual([])
    }))

  test(`${name}: concurrent messages all arrive`, () =>
    using(async ({ push, target, received }) => {
      await Promise.all(Array.from({ length: 20 }, (_, n) => push.send(target, { ...samplePush, title: `Acme ${n}` })))
      expect(
        received()
          .map(({ title }) => title)
          .toSorted(),
      ).toEqual(Array.from({ length: 20 }, (_, n) => `Acme ${n}`).toSorted())
    }))
}
