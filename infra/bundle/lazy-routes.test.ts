// What stands in place of a group's routes in its bundle is its routes: the same, in the same order, each found where it is declared.
import { expect, test } from 'vitest'
import { GROUPS } from '../../apps/groups.ts'
import { placesOf } from './lazy-routes.ts'

/** Declared in the list of the group itself, beside others that are loaded with it; and why. */
const WITH_ALL: Readonly<Record<string, string>> = {
  audit: 'Two routes, and one of a stream.',
  clients: 'Its description shows the others.',
  metrics: 'Two routes.',
  webhooks: 'One resource.',
  wellknown: 'One resource.',
}

test.each(GROUPS.map(({ name, routes }) => [name, routes] as const))('%s: every route in its order, where it is declared', async (name, routes) => {
  const { places } = await placesOf(name)
  expect(places.map(({ on }) => on)).toEqual(routes.map(({ on }) => on))
  for (const [at, place] of places.entries()) {
    const module = (await import(`../../functions/${name}/${place.file.slice('./'.length)}`)) as Readonly<Record<string, readonly unknown[]>>
    expect(module[place.name]?.[place.at], place.on).toBe(routes[at])
  }
  const whole = places.filter(({ file }) => file === './routes.ts')
  expect(whole.length > 0, whole.map(({ on }) => on).join()).toBe(name in WITH_ALL)
})
