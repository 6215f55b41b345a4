// The rules of an attestor: what evidence must state. A rule is an exact value, or a prefix followed by `*`, which stands for the rest of that path segment.
import { refuseEvidence, requireEvidence } from './refusal.ts'

export type Rules = Readonly<Record<string, string>>
/** What verified evidence states, by name. Only names that its method knows. */
export type Facts = Readonly<Record<string, readonly string[]>>

const MAX_LENGTH = 512
/** Printable ASCII: no two spellings of one value, and no look-alikes. */
const TEXT = /^[\x20-\x7e]+$/

/** The value as a fact; none for other types, and for text that could be misread. */
export const factOf = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(factOf)
  if (typeof value === 'boolean' || (typeof value === 'number' && Number.isSafeInteger(value))) return [String(value)]
  return typeof value === 'string' && value.length <= MAX_LENGTH && TEXT.test(value) ? [value] : []
}

/** The facts in an object, by the names of a method. */
export const factsIn = (claims: Readonly<Record<string, unknown>>, names: readonly string[]): Facts =>
  Object.fromEntries(names.flatMap((name) => (Object.hasOwn(claims, name) ? [[name, factOf(claims[name])]] : [])))

export const isExact = (rule: string): boolean => !rule.includes('*')

/** `*` is allowed once, at the end, and never alone. */
export const isRule = (rule: string): boolean => {
  if (rule.length > MAX_LENGTH || !TEXT.test(rule)) return false
  return isExact(rule) || (rule.length > 1 && rule.indexOf('*') === rule.length - 1)
}

/** `refs/heads/release-*` matches `refs/heads/release-2`, and not `refs/heads/release-2/hotfix`. */
export const matchesRule = (rule: string, value: string): boolean => {
  if (isExact(rule)) return value === rule
  const prefix = rule.slice(0, -1)
  return value.startsWith(prefix) && value.length > prefix.length && !value.slice(prefix.length).includes('/')
}

/** All rules match, and there is at least one. @throws EvidenceRefusal */
export const requireRules = (rules: Rules, facts: Facts): void => {
  const named = Object.entries(rules)
  requireEvidence(named.length > 0, 'rules')
  for (const [name, rule] of named) {
    const values = Object.hasOwn(facts, name) ? (facts[name] ?? []) : []
    if (!isRule(rule) || !values.some((value) => matchesRule(rule, value))) refuseEvidence(`rule.${name}`)
  }
}
