// The IAM principal that an ARN names. The session name of an assumed role is chosen by the caller, so it is no identity.

export type AwsPrincipal = { readonly account: string; readonly role?: string; readonly user?: string }

const NAME = '[\\w+=,.@-]{1,128}'
const PATH = `(?:${NAME}/)*${NAME}`
const PARTITION = 'aws(?:-cn|-us-gov)?'
const ASSUMED = new RegExp(`^arn:(${PARTITION}):sts::(\\d{12}):assumed-role/(${NAME})/${NAME}$`)
const IAM = new RegExp(`^arn:${PARTITION}:iam::(\\d{12}):(role|user)/${PATH}$`)

/** Undefined for roots, federated users and anything that is not a role or a user. */
export const awsPrincipal = (arn: unknown): AwsPrincipal | undefined => {
  if (typeof arn !== 'string') return undefined
  const [, partition, owner, role] = ASSUMED.exec(arn) ?? []
  if (owner !== undefined) return { account: owner, role: `arn:${partition}:iam::${owner}:role/${role}` }
  const [, account, kind] = IAM.exec(arn) ?? []
  if (account === undefined) return undefined
  return kind === 'role' ? { account, role: arn } : { account, user: arn }
}

export const AWS_ACCOUNT = /^\d{12}$/
export const AWS_ROLE = /^arn:aws(?:-cn|-us-gov)?:iam::\d{12}:role\/[\w+=,.@/-]+$/
export const AWS_USER = /^arn:aws(?:-cn|-us-gov)?:iam::\d{12}:user\/[\w+=,.@/-]+$/
