// Secrets at AWS Secrets Manager: one managed secret a name, below a prefix. The SDK is loaded at the first read.
import { commonJs } from '../common-js.ts'

export type AwsSecrets = {
  /** `PREFIX/NAME` is the id of a secret. */
  readonly prefix: string
  /** Another endpoint than the region's, for tests. */
  readonly endpoint?: string
}

/** `Secrets`, of any name: a deployment may keep more than its keys there. */
export type NamedSecrets = { read(name: string): Promise<string | undefined>; write(name: string, value: string): Promise<void> }

const isNamed = (error: unknown, name: string): boolean => error instanceof Error && error.name === name

export const awsSecrets = ({ prefix, endpoint }: AwsSecrets): NamedSecrets => {
  const load = async () => {
    const sdk = await commonJs(import('@aws-sdk/client-secrets-manager'))
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
        // Without the stage, a rotation that is half done could answer the pending text.
        const { SecretString } = await client.send(new sdk.GetSecretValueCommand({ SecretId: idOf(name), VersionStage: 'AWSCURRENT' }))
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
