// Writes functions/openapi.json from the declarations. `--check` writes nothing and fails when it is stale.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { VERSION } from '#shared/kernel/version'
import { openapiOf } from '#shared/platform/openapi/openapi'
import { GROUPS } from '../apps/groups.ts'

export const apiDocument = () => openapiOf(GROUPS, { title: 'authsec-serverless', version: VERSION })

const FILE = new URL('../functions/openapi.json', import.meta.url)

const main = (check: boolean): void => {
  const written = existsSync(FILE) ? readFileSync(FILE, 'utf8') : ''
  const current = `${JSON.stringify(apiDocument(), null, 2)}\n`
  if (!check) writeFileSync(FILE, current)
  else if (written !== current) {
    console.error('functions/openapi.json is stale: run `npm run openapi` and commit it.')
    process.exitCode = 1
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main(process.argv.includes('--check'))
