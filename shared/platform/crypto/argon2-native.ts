// argon2id on the thread pool, several times faster than WebAssembly. Importing this file throws when the platform's native library is missing.
import { hashRaw } from '@node-rs/argon2'
import type { Argon2Engine } from './argon2.ts'

export const argon2Native: Argon2Engine = {
  name: 'native',
  // The package's defaults are argon2id and version 0x13 (its enums are not available under isolatedModules); the reference vector in the tests
  // verifies that.
  derive: (password, salt, cost, length) =>
    hashRaw(password, { salt, memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: cost.lanes, outputLen: length }),
}
