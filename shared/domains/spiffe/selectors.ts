// Selectors of registration entries: `type:value`, as SPIRE writes them. Stored sorted and without duplicates, so that equal sets are equal texts.
import { AppError } from '#shared/kernel/errors'

/** A type, and a value without control characters. */
const SELECTOR = /^[a-z0-9][a-z0-9_-]{0,31}:\P{Cc}{1,400}$/u
const MAX_SELECTORS = 50

const refused = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

/** @throws AppError invalid_request naming the field: an entry without selectors would match every workload */
export const canonicalSelectors = (selectors: readonly string[], field: string): readonly string[] => {
  const distinct = [...new Set(selectors)].sort()
  if (distinct.length === 0) throw refused(field, 'must not be empty')
  if (distinct.length > MAX_SELECTORS) throw refused(field, `at most ${MAX_SELECTORS}`)
  if (!distinct.every((selector) => SELECTOR.test(selector))) throw refused(field, 'each is type:value')
  return distinct
}

export type SelectorObject = Readonly<Record<string, string | readonly string[]>>

/** Parts of a selector that name its attribute: `k8s:ns`, `k8s:pod-label:app`, `join`. */
const nameParts = (parts: readonly string[]): number => {
  if (parts.length <= 2) return 1
  return parts.length > 3 && parts[1]?.endsWith('label') === true ? 3 : 2
}

/** AuthSec's form: an object from attribute to value. @throws AppError invalid_request naming the field */
export const selectorsOfObject = (object: SelectorObject, field: string): readonly string[] =>
  canonicalSelectors(
    Object.entries(object).flatMap(([name, values]) => [values].flat().map((value) => `${name}:${value}`)),
    field,
  )

/** AuthSec's form. An attribute with several values has an array. */
export const objectOfSelectors = (selectors: readonly string[]): Record<string, string | string[]> => {
  const found = new Map<string, string[]>()
  for (const selector of selectors) {
    const parts = selector.split(':')
    const name = parts.slice(0, nameParts(parts)).join(':')
    found.set(name, [...(found.get(name) ?? []), selector.slice(name.length + 1)])
  }
  return Object.fromEntries([...found].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]))
}
