// Reads variables from managed secrets once, at the start, and adds them to the environment. A function may read only the secrets that are named to
// it.
import { ConfigError } from '#shared/kernel/config'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * `SECRETS_MANAGER_NAMES=DATABASE_URL,…` names the secrets below `SECRETS_MANAGER_PREFIX`. Variables set in the environment take precedence.
 * @throws ConfigError
 */
export const withManagedSecrets = async (
  env: Environment,
  open: (prefix: string) => Promise<(name: string) => Promise<string | undefined>>,
): Promise<Environment> => {
  const { SECRETS_MANAGER_PREFIX: prefix, SECRETS_MANAGER_NAMES: names } = env
  if (!prefix || !names) return env
  const read = await open(prefix)
  const wanted = names.split(',').filter((name) => name !== '' && !env[name])
  const values = await Promise.all(
    wanted.map(async (name) => {
      // The message has only the name: the service's own text may contain more.
      const value = await read(name).catch((error: unknown) => {
        throw new ConfigError(`${name}: cannot be read from Secrets Manager: ${error instanceof Error ? error.name : 'unknown'}`)
      })
      if (value === undefined || value === '') throw new ConfigError(`${name}: is not in Secrets Manager, below ${prefix}`)
      return [name, value] as const
    }),
  )
  return { ...env, ...Object.fromEntries(values) }
}
