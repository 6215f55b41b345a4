// Prometheus text exposition format 0.0.4. @see https://prometheus.io/docs/instrumenting/exposition_formats/
import { type Definition, definitionOf, METRICS, type MetricName } from './definitions.ts'
import type { Sample, SamplePart } from './sample.ts'

const escapeHelp = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', '\\"')

const line = (name: string, labels: readonly (readonly [string, string])[], value: number): string => {
  const pairs = labels.map(([label, text]) => `${label}="${escapeLabel(text)}"`).join(',')
  return `${name}${pairs === '' ? '' : `{${pairs}}`} ${value}`
}

type Series = { readonly values: readonly string[]; readonly parts: Map<SamplePart, number> }

/** The cache counts each observation only in its own bucket; the format requires cumulative buckets. */
const histogramLines = (name: string, buckets: readonly number[], labels: readonly (readonly [string, string])[], { parts }: Series): string[] => {
  const counts = [...parts].flatMap(([part, count]) => (part === 'sum' ? [] : [{ bound: part === '+Inf' ? Infinity : Number(part), count }]))
  const within = (bound: number): number => counts.reduce((total, each) => (each.bound <= bound ? total + each.count : total), 0)
  const all = within(Infinity)
  return [
    ...buckets.map((bound) => line(`${name}_bucket`, [...labels, ['le', String(bound)]], within(bound))),
    line(`${name}_bucket`, [...labels, ['le', '+Inf']], all),
    line(`${name}_sum`, labels, parts.get('sum') ?? 0),
    line(`${name}_count`, labels, all),
  ]
}

const seriesLines = (name: MetricName, definition: Definition, series: Series): string[] => {
  const labels = definition.labels.map((label, at) => [label, series.values[at] ?? ''] as const)
  if (definition.type === 'histogram') return histogramLines(name, definition.buckets, labels, series)
  return [line(name, labels, series.parts.get('') ?? 0)]
}

/** All declared metrics with the given samples; samples of the same series and part are added. */
export const renderExposition = (samples: readonly Sample[]): string => {
  const byName = new Map<MetricName, Map<string, Series>>()
  for (const { name, values, part, value } of samples) {
    const all = byName.get(name) ?? new Map<string, Series>()
    byName.set(name, all)
    const key = JSON.stringify(values)
    const series = all.get(key) ?? { values, parts: new Map<SamplePart, number>() }
    all.set(key, series)
    series.parts.set(part, (series.parts.get(part) ?? 0) + value)
  }
  const lines = (Object.keys(METRICS) as MetricName[]).flatMap((name) => {
    const definition = definitionOf(name)
    const all = [...(byName.get(name) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1))
    return [
      `# HELP ${name} ${escapeHelp(definition.help)}`,
      `# TYPE ${name} ${definition.type}`,
      ...all.flatMap(([, series]) => seriesLines(name, definition, series)),
    ]
  })
  return `${lines.join('\n')}\n`
}
