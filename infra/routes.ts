// Paths -> route keys of an HTTP API. A gateway allows 300 routes, fewer than there are paths, so a subtree with one function becomes two keys: its root and a greedy
// key for everything below. A key never covers a path of another function. The gateway itself answers 404 to a path without a key and starts no function.
// @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
import type { Manifest } from './manifest.ts'

export type RouteKey = { readonly path: string; readonly group: string }

type Node = { readonly children: Map<string, Node>; group: string | undefined }

const segmentsOf = (path: string): string[] => path.split('/').slice(1)
const isVariable = (segment: string): boolean => segment.startsWith('{')

const treeOf = (groups: Manifest['groups']): Node => {
  const root: Node = { children: new Map(), group: undefined }
  for (const { name, routes } of groups) {
    for (const { path } of routes) {
      let node = root
      for (const segment of segmentsOf(path)) {
        // The gateway distinguishes variables by position, not by name.
        const key = isVariable(segment) ? '{}' : segment
        const next: Node = node.children.get(key) ?? { children: new Map(), group: undefined }
        node.children.set(key, next)
        node = next
      }
      if (node.group !== undefined && node.group !== name) throw new Error(`${path} belongs to ${node.group} and to ${name}`)
      node.group = name
    }
  }
  return root
}

const ownersOf = (node: Node): Set<string> => {
  const owners = new Set(node.group === undefined ? [] : [node.group])
  for (const child of node.children.values()) for (const owner of ownersOf(child)) owners.add(owner)
  return owners
}

const keysOf = (node: Node, path: string, depth: number): RouteKey[] => {
  const own = node.group === undefined ? [] : [{ path: path === '' ? '/' : path, group: node.group }]
  const [only, ...others] = ownersOf(node)
  // A greedy key at the root would send every path to one function.
  if (depth > 0 && only !== undefined && others.length === 0 && node.children.size > 0) return [...own, { path: `${path}/{proxy+}`, group: only }]
  return [
    ...own,
    ...[...node.children]
      .toSorted(([a], [b]) => a.localeCompare(b))
      .flatMap(([segment, child]) => keysOf(child, `${path}/${segment === '{}' ? `{v${depth}}` : segment}`, depth + 1)),
  ]
}

export const routeKeys = (groups: Manifest['groups']): readonly RouteKey[] => keysOf(treeOf(groups), '', 0)

/**
 * The key that the gateway chooses for a path: at every segment a literal before a variable, and a full match before a greedy one. Undefined where no key
 * matches.
 */
export const chosenKey = (keys: readonly RouteKey[], path: string): RouteKey | undefined => {
  const sent = segmentsOf(path)
  const rank = (key: RouteKey): string | undefined => {
    const wanted = segmentsOf(key.path)
    let worth = ''
    for (const [at, segment] of wanted.entries()) {
      const given = sent[at]
      if (segment === '{proxy+}') return given === undefined || given === '' ? undefined : `${worth}2`
      if (given === undefined || (!isVariable(segment) && segment !== given)) return undefined
      worth += isVariable(segment) ? '1' : '0'
    }
    return wanted.length === sent.length ? worth : undefined
  }
  const matching = keys.flatMap((key) => {
    const worth = rank(key)
    return worth === undefined ? [] : [{ key, worth }]
  })
  const whole = matching.filter(({ worth }) => !worth.endsWith('2'))
  return (whole.length > 0 ? whole : matching).toSorted((a, b) => a.worth.localeCompare(b.worth))[0]?.key
}
