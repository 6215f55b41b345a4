// All routes of the group.
import { formRoutes } from './forms.routes.ts'
import { passkeyPageRoutes } from './page.routes.ts'
import { passkeyRoutes } from './passkey.routes.ts'
import { passkeysRoutes } from './passkeys.routes.ts'
import { publicRoutes } from './public.routes.ts'

export const webauthnRoutes = [...formRoutes, ...passkeyRoutes, ...passkeysRoutes, ...publicRoutes, ...passkeyPageRoutes]
