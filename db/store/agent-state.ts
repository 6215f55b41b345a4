// Whether an agent may act, as part of every statement on clients.

/** The agent with that client, and its owner `ow`. */
export const JOIN_AGENT = `left join authsec.agents ag on ag.tenant_id = c.tenant_id and ag.id = c.id
  left join authsec.users ow on ow.tenant_id = ag.tenant_id and ow.id = ag.owner_id`
/** No agent, or one that is neither suspended nor retired, with an owner who is active and was not stopped since. */
export const AGENT_AUTHORIZED = (since: string): string =>
  `(ag.id is null or coalesce(ag.status = 'active' and ow.active and ow.deleted_at is null and ow.valid_from <= ${since}, false))`
