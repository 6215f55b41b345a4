// All routes of the group.
import { groupRoutes } from './groups.routes.ts'
import { invitationRoutes } from './invitations.routes.ts'
import { adminPeopleRoutes } from './people.routes.ts'

export const adminRoutes = [...adminPeopleRoutes, ...invitationRoutes, ...groupRoutes]
