// argon2id in WebAssembly, for where no native file loads. It holds the event loop for the length of each hash.
import { argon2id } from 'hash-wasm'
import type { Argon2Engine } from './argon2.ts'

export const argon2Wasm: Argon2Engine = {
  name: 'wasm',
  derive: async (password, salt, cost, length) => {
    // The package refuses an empty password. Nobody has one, so a hash of nobody's password costs the same and fits nothing.
    const text = password === '' ? '\0' : password
    return argon2id({
      password: text,
      salt,
      memorySize: cost.memoryKib,
      iterations: cost.passes,
      parallelism: cost.lanes,
      hashLength: length,
      outputType: 'binary',
    })
  },
}
