// Measures contenders side by side in one process: rounds alternate between them, CPU time is the process's own, and results are ratios of medians.

export type Contender = {
  readonly name: string
  /** One operation. */
  readonly run: (n: number) => unknown
}

export type Figure = {
  readonly name: string
  readonly cpuUs: number
  readonly wallUs: number
  /** CPU time of each round that counted, in order. */
  readonly rounds?: readonly number[]
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const round = async ({ run }: Contender, from: number, operations: number, inFlight: number): Promise<{ cpu: number; wall: number }> => {
  const cpu = process.cpuUsage()
  const start = performance.now()
  for (let n = 0; n < operations; n += inFlight) {
    await Promise.all(Array.from({ length: Math.min(inFlight, operations - n) }, (_, i) => run(from + n + i)))
  }
  const used = process.cpuUsage(cpu)
  return { cpu: (used.user + used.system) / operations, wall: ((performance.now() - start) * 1000) / operations }
}

export type Plan = { readonly operations: number; readonly rounds?: number; readonly inFlight?: number }

/** Medians over the rounds, in the order of the contenders. The first round of each warms up and does not count. */
export const alternate = async (contenders: readonly Contender[], { operations, rounds = 7, inFlight = 1 }: Plan): Promise<Figure[]> => {
  const seen = contenders.map(() => ({ cpu: [] as number[], wall: [] as number[] }))
  for (let r = 0; r <= rounds; r++) {
    for (const [i, contender] of contenders.entries()) {
      const { cpu, wall } = await round(contender, r * operations, operations, inFlight)
      if (r === 0) continue
      seen[i]?.cpu.push(cpu)
      seen[i]?.wall.push(wall)
    }
  }
  return contenders.map(({ name }, i) => {
    const { cpu = [], wall = [] } = seen[i] ?? {}
    return { name, cpuUs: median(cpu), wallUs: median(wall), rounds: cpu }
  })
}

/** The range of the ratio to `base` over the rounds. */
const spread = (figure: Figure, base: Figure): string => {
  const ratios = (figure.rounds ?? []).map((us, i) => us / (base.rounds?.[i] ?? Number.NaN))
  return ratios.length === 0 ? '' : ` (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`
}

/** A table whose ratios are against the named row. */
export const report = (title: string, figures: readonly Figure[], against: string): void => {
  const base = figures.find(({ name }) => name === against)
  console.log(`\n${title}`)
  console.log(`  ${''.padEnd(46)}${'CPU us'.padStart(10)}${'wall us'.padStart(10)}   CPU ratio to ${against}`)
  for (const figure of figures) {
    const { name, cpuUs, wallUs } = figure
    const ratio = base === undefined ? '' : `${(cpuUs / base.cpuUs).toFixed(2)}${spread(figure, base)}`
    console.log(`  ${name.padEnd(46)}${cpuUs.toFixed(1).padStart(10)}${wallUs.toFixed(1).padStart(10)}   ${ratio}`)
  }
}
