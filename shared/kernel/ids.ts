// Ids are UUIDs in lower case. An opaque handle is `<id of its owner>.<secret>`, so that its tenant is known before any look-up.

const UUID_TEXT = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'
/** A UUID of any version (RFC 9562 section 4), in lower case. */
export const UUID = new RegExp(`^${UUID_TEXT}$`)
const HANDLE = new RegExp(`^(${UUID_TEXT})\\.([\\w-]+)$`)

export const isUuid = (value: unknown): value is string => typeof value === 'string' && UUID.test(value)

/** The id in lower case; undefined when the value is not a UUID. */
export const parseUuid = (value: unknown): string | undefined => {
  const id = typeof value === 'string' ? value.toLowerCase() : undefined
  return isUuid(id) ? id : undefined
}

/** Splits a handle with a base64url secret of `secretLength` characters (43 for 256 bits); undefined for any other text. */
export const splitHandle = (text: string | undefined, secretLength = 43): { readonly id: string; readonly secret: string } | undefined => {
  const [, id, secret] = HANDLE.exec(text ?? '') ?? []
  return id === undefined || secret?.length !== secretLength ? undefined : { id, secret }
}

/** The id at the start of a text, up to a dot; undefined without one. */
export const handleId = (text: string): string | undefined => (text[36] === '.' && isUuid(text.slice(0, 36)) ? text.slice(0, 36) : undefined)
