// Where the few secrets of a deployment come from: master keys, the hash key, shared token secrets.

/**
 * `HASH_KEY` keys all keyed hashes and never changes. `MASTER_KEYS` wrap data keys: `id:base64,id:base64`, the first one wraps, all unwrap.
 * `VAPID_KEYS`: both keys of Web Push in base64url, `public:private`, where this machine made them itself.
 */
export type SecretName = 'MASTER_KEYS' | 'HASH_KEY' | 'JWT_DEF_SECRET' | 'JWT_SDK_SECRET' | 'VAPID_KEYS'

export type Secrets = {
  /** The secret's text, or undefined when there is none of that name. */
  read(name: SecretName): Promise<string | undefined>
  /** Keeps a new text under the name. */
  write(name: SecretName, value: string): Promise<void>
}
