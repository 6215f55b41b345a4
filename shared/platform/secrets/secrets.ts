// The interface of a deployment's secrets: master keys, the hash key, shared token secrets.

/**
 * `HASH_KEY` keys all keyed hashes and never changes. `MASTER_KEYS` wrap data keys: `id:base64,id:base64`; the first wraps, all unwrap. `VAPID_KEYS`:
 * both Web Push keys in base64url, `public:private`, where this machine generated them.
 */
export type SecretName = 'MASTER_KEYS' | 'HASH_KEY' | 'JWT_DEF_SECRET' | 'JWT_SDK_SECRET' | 'VAPID_KEYS'

export type Secrets = {
  /** The secret's text; undefined when there is none with that name. */
  read(name: SecretName): Promise<string | undefined>
  /** Stores a new text for the name. */
  write(name: SecretName, value: string): Promise<void>
}
