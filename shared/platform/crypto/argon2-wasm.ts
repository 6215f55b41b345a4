// argon2id in WebAssembly, for platforms without the native library. It blocks the event loop during each hash.
import { argon2id } from 'hash-wasm'
import type { Argon2Engine } from './argon2.ts'

export const argon2Wasm: Argon2Engine = {
  name: 'wasm',
  derive: async (password, salt, cost, length) => {
    // The package refuses an empty password. No account has one, so this substitute costs the same and matches nothing.
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
