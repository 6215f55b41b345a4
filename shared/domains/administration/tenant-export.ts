// Export of a tenant's data as JSON lines: a header, then each row with its kind. Secrets are left out: no hash, key or token.

import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { EXPORTED_KINDS, readExported } from '#db/store/tenant-export'
import type { RequestCtx } from '#shared/domains/context'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { requireTenant } from './people.ts'

const PAGE_ROWS = 500
const FORMAT = 'authsec.tenant.v1'

async function* linesOf(ctx: RequestCtx, tenantId: TenantId): AsyncGenerator<string> {
  const t = forTenant(ctx.db, tenantId)
  yield `${JSON.stringify({ format: FORMAT, tenant_id: tenantId, exported_at: ctx.clock.now().toISOString() })}\n`
  let total = 0
  for (const kind of EXPORTED_KINDS) {
    let after: readonly string[] | undefined
    for (;;) {
      const { rows, last } = await readExported(t, kind, after, PAGE_ROWS)
      if (rows.length > 0) yield rows.map((row) => `{"kind":"${kind}","row":${row}}\n`).join('')
      total += rows.length
      if (rows.length < PAGE_ROWS) break
      after = last
    }
  }
  // The last line lets readers detect a truncated stream.
  yield `${JSON.stringify({ end: true, rows: total })}\n`
}

/** Reads page by page, so that memory stays bounded. Routes that call this emit `tenant.exported`. @throws AppError not_found */
export const exportTenant = async (ctx: RequestCtx, caller: User, tenantId: TenantId): Promise<ReadableStream<Uint8Array>> => {
  const t = forTenant(ctx.db, tenantId)
  await requireTenant(t)
  await atomically(t, (tx) => recordEvent(tx, ctx, { event: 'tenant.exported', actor: byUser(caller), target: { type: 'tenant', id: tenantId } }))
  const lines = linesOf(ctx, tenantId)
  const encoder = new TextEncoder()
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const next = await lines.next()
      if (next.done) controller.close()
      else controller.enqueue(encoder.encode(next.value))
    },
    cancel: async () => {
      await lines.return(undefined)
    },
  })
}
