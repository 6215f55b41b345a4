import { expect, test } from 'vitest'
import { onSnapshot, SnapshotChanged } from './snapshot.ts'

const changing = (times: number) => {
  const attempts: boolean[] = []
  const run = onSnapshot(async (isFirst) => {
    attempts.push(isFirst)
    if (attempts.length <= times) throw new SnapshotChanged()
    return 'written'
  })
  return { attempts, run }
}

test('a decision is made again while its snapshot changes', async () => {
  const { attempts, run } = changing(2)
  expect(await run).toBe('written')
  expect(attempts).toEqual([true, false, false])
})

test('after five attempts the caller is asked to try again later', async () => {
  const { attempts, run } = changing(Number.POSITIVE_INFINITY)
  await expect(run).rejects.toMatchObject({ code: 'unavailable', status: 503 })
  expect(attempts).toHaveLength(5)
})

test('any other error is thrown at once', async () => {
  let attempts = 0
  const run = onSnapshot(async () => {
    attempts += 1
    throw new Error('broken')
  })
  await expect(run).rejects.toThrow('broken')
  expect(attempts).toBe(1)
})
