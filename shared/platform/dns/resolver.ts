// The interface of DNS look-ups for domain verification.
/** All TXT records of a name with their parts joined (RFC 1035 section 3.3.14), or that there are none, or that no server answered in time. */
export type TxtAnswer = readonly string[] | 'none' | 'unreachable'
/** Resolves within ten seconds and never throws. */
export type TxtResolver = { txt(name: string): Promise<TxtAnswer> }

/** Most records that are read for a name; verification needs one. */
export const MAX_TXT_RECORDS = 100
