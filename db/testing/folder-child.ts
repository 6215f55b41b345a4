// A child process of the folder tests that may be killed. `lock FOLDER...` tries to lock each folder as soon as `<folder>.go` exists and keeps the
// lock; `write FOLDER` inserts rows and prints the number of each acknowledged one.
import { existsSync } from 'node:fs'
import { sql } from 'drizzle-orm'
import { openDb } from '../engine/client.ts'
import { openFolder } from '../engine/folder.ts'
import { lockFolder } from '../engine/folder-lock.ts'
import { asTenantId, forTenant } from '../engine/tenant.ts'
import { migrate } from '../migrations/migrate.ts'

const print = (line: string): void => void process.stdout.write(`${line}\n`)

const lockEach = (folders: readonly string[]): void => {
  print('ready')
  for (const folder of folders) {
    while (!existsSync(`${folder}.go`));
    try {
      lockFolder(folder)
      print('locked')
    } catch (error) {
      print(error instanceof Error ? `${error.name}: ${error.message}` : 'failed')
    }
  }
  setInterval(() => undefined, 1000)
}

const write = async (folder: string): Promise<void> => {
  const { engine } = await openFolder(folder)
  const db = openDb(engine)
  await migrate(db, new Date())
  const t = forTenant(db, asTenantId('00000000-0000-4000-8000-000000000001'))
  for (let n = 1; ; n++) {
    await t.db.execute(sql`insert into authsec.tenant_usage (tenant_id, kind, count) values (${t.tenantId}, ${`row ${n}`}, ${n})`)
    print(String(n))
  }
}

const [mode, ...folders] = process.argv.slice(2)
if (mode === 'lock') lockEach(folders)
else await write(folders[0] ?? '')
