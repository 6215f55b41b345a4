// Asks the DNS, for proofs that a domain is somebody's.
/** Every text record of a name, its parts joined (RFC 1035 section 3.3.14); or that there is none, or that nobody answered in time. */
export type TxtAnswer = readonly string[] | 'none' | 'unreachable'
/** Answers within ten seconds, and never throws. */
export type TxtResolver = { txt(name: string): Promise<TxtAnswer> }

/** No more is read of a name's records: what is proved needs one. */
export const MAX_TXT_RECORDS = 100
