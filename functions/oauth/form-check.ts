// The forms of the hottest endpoints, by hand: known parameters, each within its length. Whatever else is sent is the schema's; form-check.test.ts holds this to it.

/** What the schema would make of a form that has these parameters alone. */
const formOf = <Name extends string>(longest: Readonly<Record<Name, number>>) => {
  const known = new Map<string, number>(Object.entries<number>(longest))
  return (sent: unknown): Partial<Record<Name, string>> | undefined => {
    if (typeof sent !== 'object' || sent === null) return undefined
    const form: Partial<Record<string, string>> = {}
    for (const [name, value] of Object.entries(sent)) {
      const most = known.get(name)
      if (most === undefined || typeof value !== 'string' || value.length > most) return undefined
      if (value !== '') form[name] = value
    }
    return form as Partial<Record<Name, string>>
  }
}

const CLIENT = { client_id: 64, client_secret: 512 }
export const quickTokenForm = formOf({
  ...CLIENT,
  grant_type: 256,
  scope: 4096,
  resource: 2048,
  code: 256,
  redirect_uri: 2048,
  code_verifier: 256,
  refresh_token: 512,
})
export const quickIntrospectionForm = formOf({ token: 8192, token_type_hint: 256 })
