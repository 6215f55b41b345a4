// argon2id on the thread pool, several times faster than WebAssembly. Loading this file throws where the platform's native file is missing.
import { hashRaw } from '@node-rs/argon2'
import type { Argon2Engine } from './argon2.ts'

export const argon2Native: Argon2Engine = {
  name: 'native',
  // The package's defaults are argon2id and version 0x13; its enums cannot be named under isolatedModules. The reference vector in the tests holds them.
  derive: (password, salt, cost, length) =>
    hashRaw(password, { salt, memoryCost: cost.memoryKib, timeCost: cost.passes, parallelism: cost.lanes, outputLen: length }),
}
