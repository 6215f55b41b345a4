// A backend of a company, for tests: a client with a secret that acts as a service account.
import { createHash } from 'node:crypto'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertClient } from '#db/store/clients'
import { putBinding, putRole, putServiceAccount } from '#db/testing/access'
import type { Company, TestApp } from './app.ts'

export const sha256 = (text: string): Uint8Array => createHash('sha256').update(text).digest()
export const basic = (clientId: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(secret)}`).toString('base64')}`

export type Backend = {
  readonly clientId: string
  readonly secret: string
  readonly serviceAccountId: string
  /** The value of its Authorization header. */
  readonly authorization: string
}

/** A backend whose service account holds these permissions. */
export const newBackend = async (app: TestApp, company: Company, permissions: readonly string[]): Promise<Backend> => {
  const at = app.clock.now()
  const clientId = app.ctx.random.id()
  const secret = `s+e:c/ret ${clientId}`
  const serviceAccountId = await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const id = await putServiceAccount(t, `service of ${clientId}`, at)
    await putBinding(t, await putRole(t, `role of ${clientId}`, permissions, at), { serviceAccountId: id }, at)
    await insertClient(t, {
      id: clientId,
      name: 'backend',
      serviceAccountId: id,
      secretHash: sha256(secret),
      validFrom: at,
      createdAt: at,
      updatedAt: at,
    })
    return id
  })
  return { clientId, secret, serviceAccountId, authorization: basic(clientId, secret) }
}
