// Changes of what decides who can act as a client: redirect URIs, authentication method, keys. People allowed something to the client as it was, so such a
// change ends their consents, and with these the client's codes and refresh tokens.

import type { TenantTx } from '#db/engine/tenant'
import { type Client, type ClientIdentityChange, updateClientIdentity } from '#db/store/clients'
import { deleteConsentsOfClient } from '#db/store/oauth-authorizations'
import { findPermissionHolders } from '#db/store/users'
import { notify } from '#shared/domains/notifications/notify'
import { type Actor, recordEvent } from '#shared/platform/audit/audit-log'

type Deps = Parameters<typeof notify>[1] & Parameters<typeof recordEvent>[1]
/** The actor of the audit event; `name` appears in the notice, and the person does not receive it. */
export type ChangedBy = { readonly actor: Actor; readonly name: string; readonly userId?: string }

const textOf = (value: unknown): string => JSON.stringify(Array.isArray(value) ? [...value].sort() : (value ?? null))
/** JSON columns come back with their members in another order. */
const keysOf = ({ jwks }: Pick<Client, 'jwks'>): string =>
  textOf((jwks?.keys ?? []).map((key) => JSON.stringify(Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1)))))

/** What differs, by names of RFC 7591. */
const differences = (before: Client, after: Client): string[] => [
  ...(textOf(before.redirectUris) === textOf(after.redirectUris) ? [] : ['redirect_uris']),
  ...(before.isPublic === after.isPublic && before.tokenEndpointAuthMethod === after.tokenEndpointAuthMethod ? [] : ['token_endpoint_auth_method']),
  ...(keysOf(before) === keysOf(after) ? [] : ['jwks']),
  ...(before.jwksUri === after.jwksUri ? [] : ['jwks_uri']),
]

const tellAdministrators = async (
  t: TenantTx,
  ctx: Deps,
  by: ChangedBy,
  client: Client,
  changed: readonly string[],
  people: number,
): Promise<void> => {
  for (const { id, email } of await findPermissionHolders(t, 'admin:access', ctx.clock.now())) {
    if (id === by.userId) continue
    const data = { by: by.name, client: client.name, changed, people }
    await notify(t, ctx, { to: email, subjectId: id, template: 'client_identity_changed', data })
  }
}

/**
 * Ends every consent for the client, with its codes, refresh tokens and open requests, and tells the tenant's administrators. Call `ctx.wakeOutbox()` after the
 * commit. Routes that call this emit `client.consents_ended`.
 */
export const endConsentsOfClient = async (t: TenantTx, ctx: Deps, by: ChangedBy, client: Client, changed: readonly string[]): Promise<void> => {
  const ended = await deleteConsentsOfClient(t, client.id, ctx.clock.now())
  if (ended.consents === 0 && ended.requests === 0) return
  const target = { type: 'client', id: client.id }
  await recordEvent(t, ctx, { event: 'client.consents_ended', actor: by.actor, target, after: { ...ended, changed } })
  if (ended.people > 0) await tellAdministrators(t, ctx, by, client, changed, ended.people)
}

/** Changes a locked client. Callers check the rights. Routes that call this emit `client.consents_ended`. */
export const changeClientIdentity = async (
  t: TenantTx,
  ctx: Deps,
  by: ChangedBy,
  before: Client,
  set: ClientIdentityChange,
): Promise<Client | undefined> => {
  const after = await updateClientIdentity(t, before.id, set)
  if (after === undefined) return undefined
  const changed = differences(before, after)
  if (changed.length > 0) await endConsentsOfClient(t, ctx, by, after, changed)
  return after
}
