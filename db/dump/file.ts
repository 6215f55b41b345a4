// A dump file: written beside its final path and renamed when complete, compressed when its name ends in `.gz`, and read with bounded memory,
// repeatedly if needed.
import { once } from 'node:events'
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync } from 'node:fs'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { DumpError } from './format.ts'

const isCompressed = (path: string): boolean => path.endsWith('.gz')

export type Write = (text: string) => Promise<void>

/** Writes a dump file that only its owner can read, because it contains password hashes and sealed secrets. Never overwrites a file. */
export const writeDumpFile = async <T>(path: string, work: (write: Write) => Promise<T>): Promise<T> => {
  if (existsSync(path)) throw new Error(`${path} exists already.`)
  const unfinished = `${path}.unfinished`
  const out = isCompressed(path) ? createGzip() : new PassThrough()
  const written = pipeline(out, createWriteStream(unfinished, { mode: 0o600, flush: true }))
  written.catch(() => undefined)
  try {
    const result = await work(async (text) => {
      if (!out.write(text)) await Promise.race([once(out, 'drain'), written])
    })
    out.end()
    await written
    renameSync(unfinished, path)
    return result
  } catch (error) {
    out.destroy()
    await written.catch(() => undefined)
    rmSync(unfinished, { force: true })
    throw error
  }
}

/** Longer than any row of ours; a file without line ends must not exhaust memory. */
const MAX_LINE = 64 * 1024 * 1024

/** The lines of a text without their line ends, including a last line without one. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  let rest = ''
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > MAX_LINE) throw new DumpError('damaged', 'This file is not a dump: it has a line without an end.')
    yield* lines
  }
  rest += decoder.decode()
  if (rest !== '') yield rest
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  const file = createReadStream(path)
  const source: Readable = isCompressed(path) ? file.pipe(createGunzip()) : file
  file.on('error', (error) => source.destroy(error))
  try {
    yield* source
  } catch (error) {
    const code = String((error as { code?: unknown }).code ?? '')
    if (code.startsWith('Z_')) throw new DumpError('damaged', 'The dump is damaged: it cannot be decompressed. Nothing was written.', error)
    throw error
  } finally {
    file.destroy()
  }
}

export const readDumpFile = (path: string): AsyncIterable<string> => linesOf(chunksOf(path))
