// Checks the documents against the system. Links and paths between documents resolve; every `sh` block of README.md and docs/ runs, in order, against a new system.
// `--links` checks only the links. A block that cannot run here states the reason: ```sh no-run REASON.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const LIMIT_MS = 110_000

export type Block = { readonly info: string; readonly text: string }
/** Fenced blocks whose language is `sh`. */
export const shellBlocks = (markdown: string): readonly Block[] =>
  [...markdown.matchAll(/^```sh(?: (.*))?\n([\s\S]*?)^```$/gm)].map(([, info = '', text = '']) => ({ info, text }))

/** The blocks that run. @throws Error for an unknown word in the info string, and for `no-run` without a reason */
export const runnable = (markdown: string): readonly string[] =>
  shellBlocks(markdown).flatMap(({ info, text }) => {
    if (info === '') return [text]
    if (!/^no-run \S.+/.test(info)) throw new Error(`"sh ${info}": expected "sh no-run REASON"`)
    return []
  })

const withoutCode = (markdown: string): string =>
  markdown.replace(/^```[\s\S]*?^```$/gm, '').replace(/`[^`\n]*`/g, (code) => (code.includes('](') ? '' : code))

/** The anchor of a heading, as GitHub generates it. */
export const anchorOf = (heading: string): string =>
  heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-')

export const anchorsOf = (markdown: string): readonly string[] =>
  [...markdown.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => anchorOf(heading))

/** Targets of links and images inside the repository. */
export const localLinks = (markdown: string): readonly string[] =>
  [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !/^[a-z]+:/.test(target))

/** The broken links of one document. */
export const brokenLinks = (path: string, read: (path: string) => string | undefined): readonly string[] =>
  localLinks(read(path) ?? '').flatMap((target) => {
    const [file = '', anchor] = target.split('#')
    const at = file === '' ? path : resolve(dirname(path), file)
    const found = read(at)
    if (found === undefined) return [`${path}: ${target} does not exist`]
    return anchor === undefined || anchorsOf(found).includes(anchor) ? [] : [`${path}: ${target} names no heading`]
  })

/** A folder has no text but exists. */
const readAny = (path: string): string | undefined => {
  if (!existsSync(path)) return undefined
  return path.endsWith('.md') ? readFileSync(path, 'utf8') : ''
}

const documents = (): readonly string[] =>
  [
    ...readdirSync(ROOT),
    ...['docs', 'packages', 'db'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)),
    ),
  ]
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .toSorted()

const freePort = (): Promise<number> =>
  new Promise((done, fail) => {
    const server = createServer()
    server.on('error', fail)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => done(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

type Place = { readonly port: number; readonly mcpPort: number; readonly data: string }

/** One document's blocks as one script, run against the system. An HTTP error ends it. */
const scriptOf = (blocks: readonly string[], { port, mcpPort, data }: Place): string =>
  [
    'set -eo pipefail',
    'curl() { command curl --fail-with-body --max-time 20 "$@"; }',
    ...blocks.map((block) =>
      block.replaceAll('localhost:7468', `localhost:${port}`).replaceAll('localhost:8080', `localhost:${mcpPort}`).replaceAll('.data/', `${data}/`),
    ),
  ].join('\n')

/** Runs it in its own process group, which ends with it. */
const run = (script: string, env: NodeJS.ProcessEnv = process.env): Promise<number> =>
  new Promise((done) => {
    const child = spawn('bash', ['-c', script], { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })
    const end = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      } catch {
        // The group is over.
      }
    }
    const timer = setTimeout(end, LIMIT_MS)
    child.on('exit', (code) => {
      clearTimeout(timer)
      end()
      done(code ?? 1)
    })
  })

const ready = async (url: string): Promise<void> => {
  for (let tries = 0; tries < 120; tries++) {
    const isUp = await fetch(url).then(
      (response) => response.ok,
      () => false,
    )
    if (isUp) return
    await new Promise((done) => setTimeout(done, 500))
  }
  throw new Error(`${url} does not answer`)
}

const runCommands = async (paths: readonly string[]): Promise<boolean> => {
  const scripts = paths.map((path) => ({ path, blocks: runnable(readFileSync(join(ROOT, path), 'utf8')) })).filter(({ blocks }) => blocks.length > 0)
  const data = mkdtempSync(join(tmpdir(), 'authsec-docs-'))
  const place = { port: await freePort(), mcpPort: await freePort(), data }
  const server = spawn('npm', ['run', '-s', 'dev'], {
    cwd: ROOT,
    env: { ...process.env, PORT: String(place.port), DATA_DIR: data, ENVIRONMENT: 'development' },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  })
  try {
    await ready(`http://localhost:${place.port}/health/ready`)
    for (const { path, blocks } of scripts) {
      const code = await run(scriptOf(blocks, place))
      console.log(`\n${code === 0 ? 'ok' : 'FAILED'}  ${path}: ${blocks.length} blocks`)
      if (code !== 0) return false
    }
    return true
  } finally {
    if (server.pid !== undefined) process.kill(-server.pid, 'SIGTERM')
    await new Promise((done) => server.once('exit', done))
    rmSync(data, { recursive: true, force: true })
  }
}

const main = async (): Promise<void> => {
  const paths = documents()
  const broken = paths.flatMap((path) => brokenLinks(join(ROOT, path), readAny))
  for (const one of broken) console.error(one.replace(ROOT, ''))
  const isFine =
    broken.length === 0 && (process.argv.includes('--links') || (await runCommands(paths.filter((path) => /^(README\.md|docs\/)/.test(path)))))
  if (!isFine) process.exitCode = 1
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()
