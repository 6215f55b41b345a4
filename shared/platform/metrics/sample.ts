// A sample, and its field name in the shared cache.
import { definitionOf, isMetricName, type MetricName } from './definitions.ts'

/** For a histogram, `sum` or the upper bound of the observation's bucket; otherwise empty. */
export type SamplePart = '' | 'sum' | '+Inf' | `${number}`
/** One number of one series, with label values in the order of the declaration. */
export type Sample = { readonly name: MetricName; readonly values: readonly string[]; readonly part: SamplePart; readonly value: number }

/** Field name of a sample in the shared cache. */
export const sampleField = ({ name, values, part }: Omit<Sample, 'value'>): string => JSON.stringify([name, part, ...values])

/** Parses a field. Undefined when this version does not declare it: another version of the program may share the cache. */
export const sampleOf = (field: string, value: number): Sample | undefined => {
  const parsed: unknown = JSON.parse(field)
  if (!Array.isArray(parsed)) return undefined
  const [name, part, ...values] = parsed.map(String)
  if (name === undefined || part === undefined || !isMetricName(name)) return undefined
  const { type, labels } = definitionOf(name)
  if (values.length !== labels.length || (type === 'histogram') === (part === '')) return undefined
  return { name, values, part: part as SamplePart, value }
}
