// Canonical JSON (RFC 8785): one text per value, for digests and comparisons.

const hasToJson = (value: object): value is { toJSON(): unknown } => typeof (value as { toJSON?: unknown }).toJSON === 'function'

/**
 * The canonical text of a value. What JSON omits is omitted as `JSON.stringify` does: members that are undefined, and null in place of such elements of an array.
 * @throws TypeError on a value without a JSON form (a bigint, a cycle)
 */
export const canonicalJson = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null)
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (hasToJson(value)) return canonicalJson(value.toJSON())
  const object = value as Readonly<Record<string, unknown>>
  const members: string[] = []
  for (const name of Object.keys(object).toSorted()) {
    if (object[name] !== undefined) members.push(`${JSON.stringify(name)}:${canonicalJson(object[name])}`)
  }
  return `{${members.join(',')}}`
}
