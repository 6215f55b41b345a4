// Comma-separated values (RFC 4180): quotes, commas and line ends inside quotes, either line end, a byte order mark.

export type CsvRecord = { readonly line: number; readonly cells: readonly string[] }
export type Csv = { readonly records: readonly CsvRecord[] /** Line of a quote that never ends. */; readonly openQuoteAt?: number }

type Cell = { readonly text: string; readonly next: number; readonly closed: boolean }

const CELL_END = /[,\r\n]/g

const bare = (text: string, from: number): Cell => {
  CELL_END.lastIndex = from
  const end = CELL_END.exec(text)?.index ?? text.length
  return { text: text.slice(from, end), next: end, closed: true }
}

/** Reads from after the opening quote; a doubled quote stands for one. Text between the closing quote and the next comma is kept, as spreadsheets do. */
const quoted = (text: string, from: number): Cell => {
  let cell = ''
  for (let at = from; ; ) {
    const quote = text.indexOf('"', at)
    if (quote < 0) return { text: cell + text.slice(at), next: text.length, closed: false }
    cell += text.slice(at, quote)
    if (text[quote + 1] !== '"') {
      const rest = bare(text, quote + 1)
      return { ...rest, text: cell + rest.text }
    }
    cell += '"'
    at = quote + 2
  }
}

const linesIn = (text: string): number => text.split(/\r\n|\r|\n/).length - 1

/** Records with the line number where each begins, without empty lines. Stops after `most` records. */
export const parseCsv = (source: string, most: number): Csv => {
  const text = source.replace(/^\uFEFF/, '')
  const records: CsvRecord[] = []
  let cells: string[] = []
  let [line, startedAt] = [1, 1]
  for (let at = 0; at < text.length && records.length < most; ) {
    const isQuoted = text[at] === '"'
    const cell = isQuoted ? quoted(text, at + 1) : bare(text, at)
    if (!cell.closed) return { records, openQuoteAt: line }
    cells.push(cell.text)
    line += isQuoted ? linesIn(cell.text) : 0
    const separator = text[cell.next]
    at = cell.next + 1
    if (separator === ',' && at < text.length) continue
    if (separator === ',') cells.push('')
    if (separator === '\r' && text[at] === '\n') at++
    if (cells.length > 1 || cells[0] !== '') records.push({ line: startedAt, cells })
    cells = []
    startedAt = ++line
  }
  return { records }
}
