// Log lines: one JSON object per line, without secrets. A line consists of named fields only; a request, a body or an error object cannot be logged
// as a whole.
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>
export type Level = 'info' | 'warn' | 'error'
export type Log = {
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  /** Logs the error's class, message and code; never its parameters. */
  error(event: string, error: unknown, fields?: Fields): void
  /** Writes a line unchanged, for formats that a collector reads from the log. */
  line(text: string): void
}

/** PostgreSQL repeats the refused value in messages of data exceptions (class 22) and constraint violations (class 23). */
const REPEATS_VALUES = /^2[23]/

/** The innermost error: drizzle's wrapper repeats the statement and its parameters. */
const describe = (error: unknown): { error: string; error_code?: string; stack?: string } => {
  let e = error
  while (e instanceof Error && e.cause instanceof Error) e = e.cause
  if (!(e instanceof Error)) return { error: 'not an Error' }
  const code = (e as { code?: unknown }).code
  const frames = (e.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
  return {
    error: typeof code === 'string' && REPEATS_VALUES.test(code) ? e.name : `${e.name}: ${e.message}`,
    ...(typeof code === 'string' ? { error_code: code } : {}),
    ...(frames.length > 0
      ? {
          stack: frames
            .slice(0, 8)
            .map((line) => line.trim())
            .join(' | '),
        }
      : {}),
  }
}

/** Removes the secret half of an SDK client id, which another component's message may contain. */
const withoutSecrets = (line: string): string => line.replace(/~[0-9a-f]{64}/gi, '~[redacted]')

export const jsonLog = (write: (line: string) => void, now: () => Date): Log => {
  const line = (level: Level, event: string, fields: object): void =>
    write(withoutSecrets(JSON.stringify({ at: now().toISOString(), level, event, ...fields })))
  return {
    info: (event, fields = {}) => line('info', event, fields),
    warn: (event, fields = {}) => line('warn', event, fields),
    error: (event, error, fields = {}) => line('error', event, { ...fields, ...describe(error) }),
    line: write,
  }
}

export const stdoutLog = (now: () => Date): Log => jsonLog((line) => process.stdout.write(`${line}\n`), now)

/** Keeps its lines in memory, for tests. */
export const memoryLog = (now: () => Date): Log & { readonly lines: string[] } => {
  const lines: string[] = []
  return { ...jsonLog((line) => void lines.push(line), now), lines }
}
