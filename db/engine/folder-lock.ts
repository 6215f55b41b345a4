// An exclusive lock on a folder across processes: two processes on one PGlite folder would silently lose data. Survives kill -9, because a dead
// holder's lock can be taken over.
import { linkSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { threadId } from 'node:worker_threads'

/** The holder of a lock. Written atomically and never changed. */
type Holder = {
  readonly pid: number
  readonly host: string
  /** When the process started, RFC 3339. */
  readonly startedAt: string
  /**
   * Start of the process in ticks since boot, and the id of that boot; '' without /proc. They distinguish a process from a later one with the same
   * id.
   */
  readonly ticks: string
  readonly boot: string
  /** Unique among all locks. */
  readonly token: string
}

export type FolderLock = { readonly release: () => void }

/** Another process has the folder open. The message names it and the way out. */
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

/** State and start time of a process by proc(5): fields 3 and 22 of `stat`, counted after the name, which may contain spaces and parentheses. */
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

/** Whether the holder may still be running. An unknown state (on another host) counts as running. */
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

/** Undefined when the file does not exist. */
const readHolder = (folder: string, path: string): Holder | undefined => {
  const text = contents(path)
  if (text === undefined) return undefined
  try {
    const value: unknown = JSON.parse(text)
    if (isHolder(value)) return value
  } catch {}
  throw new FolderLocked(folder, `an unknown process: ${path} is not a valid lock file. If no process has the folder open, remove that file`)
}

const describe = ({ pid, host, startedAt }: Holder, lock: string): string => {
  if (host !== hostname()) {
    const wayOut = `If that host is gone, remove ${lock}`
    return `process ${pid} on host ${host}, started ${startedAt}; this host cannot tell whether it still runs. ${wayOut}`
  }
  return pid === process.pid ? `this process (${pid}, host ${host}, started ${startedAt})` : `process ${pid} on host ${host}, started ${startedAt}`
}

/** Links a complete file to a second name, unless that name exists. */
const linkIfAbsent = (complete: string, name: string): boolean => {
  try {
    linkSync(complete, name)
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  }
}

/** The successor file of a holder: a process creates it before it replaces a dead holder. Each holder has one, and it can be created only once. */
const successorOf = (lock: string, holder: Holder): string => `${lock}.after-${holder.token}`

/** The holder, followed by processes that were taking over from a dead one and died too. */
const holderChain = (folder: string, lock: string): readonly Holder[] => {
  const chain: Holder[] = []
  for (let next = readHolder(folder, lock); next !== undefined; next = readHolder(folder, successorOf(lock, next))) chain.push(next)
  return chain
}

const tokens = (chain: readonly Holder[]): string => chain.map(({ token }) => token).join(' ')

/**
 * One attempt. Only the process that created the successor file of the last dead holder may replace the lock. Another process may have created, used
 * and removed that file between our read and our creation, so the chain is read again; if it has changed, the file is removed.
 */
const attempt = (folder: string, lock: string, own: Holder, complete: string): boolean => {
  const chain = holderChain(folder, lock)
  const last = chain.at(-1)
  if (last === undefined) return linkIfAbsent(complete, lock)
  const alive = chain.find(mayBeAlive)
  if (alive !== undefined) throw new FolderLocked(folder, describe(alive, lock))
  const claim = successorOf(lock, last)
  if (!linkIfAbsent(complete, claim)) return false
  if (tokens(holderChain(folder, lock)) !== tokens([...chain, own])) {
    rmSync(claim, { force: true })
    return false
  }
  renameSync(complete, lock)
  for (const dead of chain) rmSync(successorOf(lock, dead), { force: true })
  return true
}

/** Each failed attempt means that another process succeeded, so a sane number of processes never reaches this bound. */
const ATTEMPTS = 100

/**
 * Takes the folder's lock: the file `<folder>.lock` beside it. Of several concurrent processes exactly one gets it. A dead process's lock is taken
 * over; where there is a /proc, a process is distinguished from a later one with the same id by its start time.
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
      if (tried >= ATTEMPTS) throw new FolderLocked(real, 'processes that keep starting')
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
