// A token request whose client is authenticated: the input of every grant.
import type * as z from 'zod'
import type { OauthClient } from '#db/store/oauth-clients'
import type { AuthorizationState } from '#db/store/oauth-families'
import type { Ctx } from './group.ts'
import type { TokenForm } from './token.schema.ts'
import type { TokenSet } from './token-set.ts'

export type TokenRequest = {
  readonly form: z.output<typeof TokenForm>
  /** Authenticated. */
  readonly client: OauthClient
  /** Thumbprint of the key whose possession the request proves (RFC 9449). */
  readonly jkt: string | undefined
  /** State of the presented code, where it was read together with the client. */
  readonly code?: AuthorizationState | undefined
}
export type Grant = (ctx: Ctx, request: TokenRequest) => Promise<TokenSet>
