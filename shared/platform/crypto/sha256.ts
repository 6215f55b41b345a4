import { hash } from 'node:crypto'

/** SHA-256 of bytes, or of the UTF-8 of a text. */
export const sha256 = (value: string | Uint8Array): Uint8Array => new Uint8Array(hash('sha256', value, 'buffer'))
