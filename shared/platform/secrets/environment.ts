// Secrets from the environment: what a platform injects. Read-only.
import type { Secrets } from './secrets.ts'

export const environmentSecrets = (env: Readonly<Record<string, string | undefined>>): Secrets => ({
  read: async (name) => (env[name] === '' ? undefined : env[name]),
  write: async (name) => {
    throw new Error(`Secrets come from the environment, which cannot be written: set ${name} where the process is started.`)
  },
})
