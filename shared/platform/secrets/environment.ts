// Secrets from environment variables. Read-only.
import type { Secrets } from './secrets.ts'

export const environmentSecrets = (env: Readonly<Record<string, string | undefined>>): Secrets => ({
  read: async (name) => (env[name] === '' ? undefined : env[name]),
  write: async (name) => {
    throw new Error(`Environment secrets cannot be written: set ${name} where the process is started.`)
  },
})
