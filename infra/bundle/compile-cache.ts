// V8's compiled code of a function's files, stored next to them, so that a start reads it instead of compiling. It saves 17 to 29 ms of processor time (Node 24 and 22;
// see docs/performance.md). Node reads it when NODE_COMPILE_CACHE is set (infra/functions.ts), and only with the same version of Node on the same architecture, as
// the same user, and with Node 22 at the same path. Otherwise, and with Node 20, it is ignored and the code is compiled.
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

export const COMPILE_CACHE = 'compile-cache'

/** For Node, when a function in `folder` starts. Paths count from the cache where Node can (24). */
export const compileCacheVariables = (folder: string): Readonly<Record<string, string>> => ({
  NODE_COMPILE_CACHE: join(folder, COMPILE_CACHE),
  NODE_COMPILE_CACHE_PORTABLE: '1',
})

/** A handler reads its configuration when it is imported and connects with its first request. */
const CONFIGURATION = {
  ENVIRONMENT: 'production',
  BASE_URL: 'https://auth.invalid',
  DATABASE_URL: 'postgres://unused:unused@127.0.0.1:1/none',
  REDIS_URL: 'redis://127.0.0.1:1',
  SMTP_URL: 'smtp://127.0.0.1:1',
  SIGN_UP: 'closed',
  MASTER_KEYS: `m1:${Buffer.alloc(32).toString('base64')}`,
  HASH_KEY: Buffer.alloc(32).toString('base64'),
}

/**
 * Imports `files` once in a process of `node`, which leaves its compiled code in `folder`, readable for every user.
 * @returns false where that version of Node keeps none
 * @throws Error when a file cannot be imported
 */
export const writeCompileCache = (folder: string, files: readonly string[], node = process.execPath): boolean => {
  const imports = files.map((file) => `await import(${JSON.stringify(pathToFileURL(join(folder, file)).href)})`)
  const { status, stderr } = spawnSync(node, ['--input-type=module', '--eval', `${imports.join('\n')}\nprocess.exit(0)`], {
    env: { ...CONFIGURATION, ...compileCacheVariables(folder), TZ: 'UTC' },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${folder} cannot be imported: ${stderr}`)
  const cache = join(folder, COMPILE_CACHE)
  if (!existsSync(cache)) return false
  // Node keeps them to the user that wrote them.
  for (const entry of readdirSync(cache, { recursive: true, withFileTypes: true })) {
    chmodSync(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o755 : 0o644)
  }
  return true
}
