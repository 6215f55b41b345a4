// Variables that are kept as managed secrets, read once at the start and put beside those of the environment. A function is told their names and may read those alone.
import { ConfigError } from '#shared/kernel/config'

type Environment = Readonly<Record<string, string | undefined>>

/** The environment says where they are: `SECRETS_MANAGER_NAMES=DATABASE_URL,…` below `SECRETS_MANAGER_PREFIX`. What it holds itself stands. */
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
      // Which one could not be read is the one thing that helps; the service's own words may hold more.
      const value = await read(name).catch((error: unknown) => {
        throw new ConfigError(`${name}: cannot be read from Secrets Manager: ${error instanceof Error ? error.name : 'unknown'}`)
      })
      if (value === undefined || value === '') throw new ConfigError(`${name}: is not in Secrets Manager, below ${prefix}`)
      return [name, value] as const
    }),
  )
  return { ...env, ...Object.fromEntries(values) }
}
