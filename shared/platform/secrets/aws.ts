// Secrets in AWS Secrets Manager: one managed secret per name, below a prefix. A function calls the service directly; elsewhere the SDK is loaded,
// which finds credentials.

import { importCommonJs } from '#shared/kernel/common-js'
import { type AwsAccess, awsCalls } from '#shared/platform/aws/call'

export type AwsSecrets = {
  /** `PREFIX/NAME` is the id of a secret. */
  readonly prefix: string
  /** Endpoint that replaces the region's, for tests. */
  readonly endpoint?: string
}

// Without the stage, an unfinished rotation could return the pending text.
const current = (id: string) => ({ SecretId: id, VersionStage: 'AWSCURRENT' })

/** `Secrets` with arbitrary names: a deployment may keep more than its keys there. */
export type NamedSecrets = { read(name: string): Promise<string | undefined>; write(name: string, value: string): Promise<void> }

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name

/** For a function with credentials in its environment. Read-only. */
export const functionSecrets = (access: AwsAccess, prefix: string): NamedSecrets => {
  const call = awsCalls(access, 'secretsmanager')
  return {
    read: async (name) => {
      try {
        const { SecretString } = await call('GetSecretValue', current(`${prefix}/${name}`))
        return typeof SecretString === 'string' ? SecretString : undefined
      } catch (error) {
        if (isNamed(error, 'ResourceNotFoundException')) return undefined
        throw error
      }
    },
    write: async (name) => {
      throw new Error(`A function cannot write secrets: set ${name} where it is deployed from.`)
    },
  }
}

export const awsSecrets = ({ prefix, endpoint }: AwsSecrets): NamedSecrets => {
  const load = async () => {
    const sdk = await importCommonJs(import('@aws-sdk/client-secrets-manager'))
    return { sdk, client: new sdk.SecretsManagerClient(endpoint === undefined ? {} : { endpoint }) }
  }
  let loaded: ReturnType<typeof load> | undefined
  const sdkOnce = () => {
    loaded ??= load()
    return loaded
  }
  const idOf = (name: string): string => `${prefix}/${name}`

  return {
    read: async (name) => {
      const { sdk, client } = await sdkOnce()
      try {
        const { SecretString } = await client.send(new sdk.GetSecretValueCommand(current(idOf(name))))
        return SecretString
      } catch (error) {
        if (isNamed(error, 'ResourceNotFoundException')) return undefined
        throw error
      }
    },
    write: async (name, value) => {
      const { sdk, client } = await sdkOnce()
      try {
        await client.send(new sdk.CreateSecretCommand({ Name: idOf(name), SecretString: value }))
      } catch (error) {
        if (!isNamed(error, 'ResourceExistsException')) throw error
        await client.send(new sdk.PutSecretValueCommand({ SecretId: idOf(name), SecretString: value }))
      }
    },
  }
}
