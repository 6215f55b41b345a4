// Builds the functions and declares their deployment. `sst dev` deploys nothing: the system runs on this machine with its local defaults.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Manifest } from './manifest.ts'
import { program } from './program.ts'
import { readSettings } from './settings.ts'

const BUILD = '.build'
const MIGRATIONS = 'db/migrations'

/** Changes when the migrations or the row policies change. */
const releaseOf = (): string => {
  const digest = createHash('sha256')
  for (const file of readdirSync(MIGRATIONS).toSorted()) if (file.endsWith('.sql')) digest.update(readFileSync(join(MIGRATIONS, file)))
  digest.update(readFileSync('db/migrations/policies.ts'))
  return digest.digest('hex').slice(0, 16)
}

export const deploy = () => {
  if ($dev) {
    new sst.x.DevCommand('Local', { dev: { command: 'npm run dev', autostart: true } })
    return { url: 'http://localhost:7468' }
  }
  execFileSync(process.execPath, ['--import', 'tsx', 'infra/bundle/build.ts', BUILD, '--native', 'linux-arm64-gnu'], { stdio: 'inherit' })
  const manifest = JSON.parse(readFileSync(join(BUILD, 'manifest.json'), 'utf8')) as Manifest
  return program(manifest, readSettings($app.stage, process.env), releaseOf())
}
