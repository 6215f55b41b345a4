// Chooses the engine at run time: the native one where its library loads, WebAssembly otherwise. Neither is imported before it is needed.
import type { Argon2Engine } from './argon2.ts'
import { type PasswordHash, type PasswordHashOptions, passwordHash } from './password-hash.ts'

export const loadArgon2 = async (): Promise<Argon2Engine> => {
  try {
    return (await import('./argon2-native.ts')).argon2Native
  } catch {
    return (await import('./argon2-wasm.ts')).argon2Wasm
  }
}

export const loadPasswordHash = async (options: Omit<PasswordHashOptions, 'engine'> = {}): Promise<PasswordHash> =>
  passwordHash({ ...options, engine: await loadArgon2() })
