// Combines db/migrations/*.sql into one module that bundles can include. `--check` fails when that module is stale.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

const folder = new URL('./', import.meta.url)
const target = new URL('./migrations.generated.ts', import.meta.url)

const migrations = readdirSync(folder)
  .filter((file) => file.endsWith('.sql'))
  .sort()
  .map((file) => ({
    version: Number(file.slice(0, 4)) + 1,
    name: file.slice(5, -4),
    // The login role creates the schema beforehand for the owner role (policies.ts, PREPARE).
    sql: readFileSync(new URL(file, folder), 'utf8').replace('CREATE SCHEMA "authsec";\n--> statement-breakpoint\n', ''),
  }))

const text = `// Generated from db/migrations by \`npm run db:generate\`. Append only.
export type Migration = { readonly version: number; readonly name: string; readonly sql: string }
export const MIGRATIONS: readonly Migration[] = ${JSON.stringify(migrations, null, 2)}
`
if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error('db/migrations/migrations.generated.ts is stale: run `npm run db:generate`.')
    process.exit(1)
  }
} else writeFileSync(target, text)
