// Whether an agent may go on, as a part of every statement that asks after a client. Apart from them, since every function asks after clients. Written by hand.

/** Whoever answers for client `c`, where that is an agent. */
export const JOIN_AGENT = `left join authsec.agents ag on ag.tenant_id = c.tenant_id and ag.id = c.id
  left join authsec.users ow on ow.tenant_id = ag.tenant_id and ow.id = ag.owner_id`
/** No agent, or one that is neither suspended nor retired, whatever its client is, and whose owner is there and was not stopped since. */
export const AGENT_AUTHORIZED = (since: string): string =>
  `(ag.id is null or coalesce(ag.status = 'active' and ow.active and ow.deleted_at is null and ow.valid_from <= ${since}, false))`
