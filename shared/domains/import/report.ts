// What became, or would become, of every row: one line each, with ids and reasons and nothing personal.

export type ReportAction = 'import' | 'adapt' | 'refuse' | 'unchanged'
export type ReportLine = {
  readonly tenant_id: string | null
  readonly table: string
  readonly id: string | null
  readonly action: ReportAction
  /** A stable word; absent where the row is taken as it is. */
  readonly reason?: string
}

/** Collects the lines of one tenant: one for each row, with its reasons joined, and one more where the company as a whole is remarked upon. */
export const notesFor = (tenantId: string | null) => {
  const lines: ReportLine[] = []
  const add = (table: string, id: string | null, action: ReportAction, reasons: readonly string[]): void =>
    void lines.push({ tenant_id: tenantId, table, id, action, ...(reasons.length === 0 ? {} : { reason: reasons.join(',') }) })
  return {
    lines: lines as readonly ReportLine[],
    /** Taken; with reasons, not quite as it is. */
    taken: (table: string, id: string | null, ...reasons: readonly string[]): void =>
      add(table, id, reasons.length === 0 ? 'import' : 'adapt', reasons),
    refused: (table: string, id: string | null, reason: string): void => add(table, id, 'refuse', [reason]),
    unchanged: (table: string, id: string | null, reason: string): void => add(table, id, 'unchanged', [reason]),
  }
}
export type ReportNotes = ReturnType<typeof notesFor>

/** For a second look: what the plan refuses is told, what it would take is judged by key. */
export const refusalsOnly = ({ lines, refused, unchanged }: ReportNotes): ReportNotes => ({ lines, refused, unchanged, taken: () => undefined })
