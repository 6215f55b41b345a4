// The report of an import: one line for each row, with ids and reasons and no personal data.

export type ReportAction = 'import' | 'adapt' | 'refuse' | 'unchanged'
export type ReportLine = {
  readonly tenant_id: string | null
  readonly table: string
  readonly id: string | null
  readonly action: ReportAction
  /** A stable code; absent when the row is imported unchanged. */
  readonly reason?: string
}

/** Collects the lines of one tenant: one for each row with its joined reasons, and further ones about the tenant as a whole. */
export const notesFor = (tenantId: string | null) => {
  const lines: ReportLine[] = []
  const add = (table: string, id: string | null, action: ReportAction, reasons: readonly string[]): void =>
    void lines.push({ tenant_id: tenantId, table, id, action, ...(reasons.length === 0 ? {} : { reason: reasons.join(',') }) })
  return {
    lines: lines as readonly ReportLine[],
    /** Imported; with reasons, in a changed form. */
    taken: (table: string, id: string | null, ...reasons: readonly string[]): void =>
      add(table, id, reasons.length === 0 ? 'import' : 'adapt', reasons),
    refused: (table: string, id: string | null, reason: string): void => add(table, id, 'refuse', [reason]),
    unchanged: (table: string, id: string | null, reason: string): void => add(table, id, 'unchanged', [reason]),
  }
}
export type ReportNotes = ReturnType<typeof notesFor>

/** For a repeated import: reports what the plan refuses; rows that it would import are compared by key instead. */
export const refusalsOnly = ({ lines, refused, unchanged }: ReportNotes): ReportNotes => ({ lines, refused, unchanged, taken: () => undefined })
