// The native engine, loaded with the first password: most functions never hash one, and loading the native library is slow.
import type { Argon2Engine } from './argon2.ts'

export const lazyArgon2: Argon2Engine = {
  name: 'native',
  derive: async (...what) => (await import('./argon2-native.ts')).argon2Native.derive(...what),
}
