// Every route of the group.
import { groupRoutes } from './groups.routes.ts'
import { invitationRoutes } from './invitations.routes.ts'
import { peopleRoutes } from './people.routes.ts'

export const adminRoutes = [...peopleRoutes, ...invitationRoutes, ...groupRoutes]
