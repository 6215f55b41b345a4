// An exclusive lock on a folder, across processes: two processes on one PGlite folder lose data silently. Survives kill -9, since a dead holder's lock is taken over.
import { linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'

/** Who holds a folder. Written whole or not at all; never changed. */
type Holder = {
  readonly pid: number
  readonly host: string
  /** When the process started, RFC 3339. */
  readonly startedAt: string
  /** Start of the process in ticks since boot, and the boot it counts from; '' where there is no /proc. They tell a process from a later one with its id. */
  readonly ticks: string
  readonly boot: string
  /** Names this one lock among all that were ever taken. */
  readonly token: string
}

export type FolderLock = { readonly release: () => void }

/** Somebody else has the folder open. The message says who, and what to do. */
export class FolderLocked extends Error {
  constructor(folder: string, who: string) {
    super(`The data folder ${folder} is in use by ${who}. Two processes on one folder would lose data.`)
    this.name = 'FolderLocked'
  }
}

const contents = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const bootId = (): string => contents('/proc/sys/kernel/random/boot_id')?.trim() ?? ''

/** State and start of a process by proc(5): fields 3 and 22 of `stat`, counted behind the name, which may hold blanks and brackets. */
const processOf = (pid: number): { readonly state: string; readonly ticks: string } | undefined => {
  const stat = contents(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0] ?? '', ticks: fields[19] ?? '' }
}

let taken = 0
const ourselves = (): Holder => {
  taken += 1
  const started = performance.timeOrigin
  return {
    pid: process.pid,
    host: hostname(),
    startedAt: new Date(started).toISOString(),
    ticks: processOf(process.pid)?.ticks ?? '',
    boot: bootId(),
    token: `${process.pid}-${Math.round(started * 1000)}-${threadId}-${taken}`,
  }
}

/** Whether the holder may still have the folder open. What cannot be known (another host) counts as alive. */
const mayBeAlive = (holder: Holder): boolean => {
  if (holder.host !== hostname()) return true
  const boot = bootId()
  if (holder.boot !== '' && boot !== '' && holder.boot !== boot) return false
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ESRCH') return false
  }
  const now = processOf(holder.pid)
  if (now === undefined || holder.ticks === '') return true
  return now.state !== 'Z' && now.ticks === holder.ticks
}

const isHolder = (value: unknown): value is Holder => {
  if (typeof value !== 'object' || value === null) return false
  const { pid, host, startedAt, ticks, boot, token } = value as Record<string, unknown>
  return Number.isSafeInteger(pid) && Number(pid) > 0 && [host, startedAt, ticks, boot, token].every((part) => typeof part === 'string')
}

/** Undefined when there is no such file. */
const readHolder = (folder: string, path: string): Holder | undefined => {
  const text = contents(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (isHolder(value)) return value
  } catch {}
  throw new FolderLocked(folder, `nobody who can be named: ${path} is not readable as a lock. If no process has the folder open, remove that file`)
}

const describe = ({ pid, host, startedAt }: Holder, lock: string): string => {
  if (host !== hostname()) {
    const wayOut = `If that host is gone, remove ${lock}`
    return `process ${pid} on host ${host}, started ${startedAt}; from here nobody can tell whether it still runs. ${wayOut}`
  }
  return pid === process.pid ? `this process (${pid}, host ${host}, started ${startedAt})` : `process ${pid} on host ${host}, started ${startedAt}`
}

/** Gives a complete file a second name, unless that name is taken. */
const linked = (complete: string, name: string): boolean => {
  try {
    linkSync(complete, name)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  }
}

/** Who may follow a dead holder writes this file first; each holder has one, and it can be made only once. */
const successorOf = (lock: string, holder: Holder): string => `${lock}.after-${holder.token}`

/** The holder, and behind it those who were taking over from a dead one and died too. */
const lineOf = (folder: string, lock: string): readonly Holder[] => {
  const line: Holder[] = []
  for (let next = readHolder(folder, lock); next !== undefined; next = readHolder(folder, successorOf(lock, next))) line.push(next)
  return line
}

const tokens = (line: readonly Holder[]): string => line.map(({ token }) => token).join(' ')

/**
 * One attempt. Only who made the successor file of the last in a line of dead holders may replace the lock. That file may have been made, used and removed
 * by another between our look and our making it anew: so the line is read again, and when it is no longer ours to follow, the file is taken back.
 */
const attempt = (folder: string, lock: string, own: Holder, complete: string): boolean => {
  const line = lineOf(folder, lock)
  const last = line.at(-1)
  if (last === undefined) return linked(complete, lock)
  const alive = line.find(mayBeAlive)
  if (alive !== undefined) throw new FolderLocked(folder, describe(alive, lock))
  const claim = successorOf(lock, last)
  if (!linked(complete, claim)) return false
  if (tokens(lineOf(folder, lock)) !== tokens([...line, own])) {
    rmSync(claim, { force: true })
    return false
  }
  renameSync(complete, lock)
  for (const dead of line) rmSync(successorOf(lock, dead), { force: true })
  return true
}

/** Each lost attempt means that another process got ahead, so this is never reached by a sane number of them. */
const ATTEMPTS = 100

/**
 * Takes the folder's lock: a file beside the folder, `<folder>.lock`. Of several processes that ask at once, one gets it. A lock whose process is dead is
 * taken over; a process is told from a later one with the same id by its start, where there is a /proc.
 * @throws FolderLocked
 */
export const lockFolder = (folder: string): FolderLock => {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const real = realpathSync(folder)
  const lock = `${real}.lock`
  const own = ourselves()
  const complete = `${lock}.${own.token}`
  writeFileSync(complete, JSON.stringify(own), { flag: 'wx', mode: 0o600, flush: true })
  try {
    for (let tried = 0; !attempt(real, lock, own, complete); tried++) {
      if (tried >= ATTEMPTS) throw new FolderLocked(real, 'processes that start all the time')
    }
  } finally {
    rmSync(complete, { force: true })
  }
  return {
    release: () => {
      if (readHolder(real, lock)?.token === own.token) rmSync(lock, { force: true })
    },
  }
}
