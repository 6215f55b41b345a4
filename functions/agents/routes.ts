// All routes of the group.
import { ownAgentRoutes } from './agents.routes.ts'
import { detailTypeRoutes } from './detail-types.routes.ts'
import { issuerRoutes } from './issuers.routes.ts'
import { listedAgentRoutes } from './listed.routes.ts'
import { policyRoutes } from './policies.routes.ts'

export const agentRoutes = [...ownAgentRoutes, ...detailTypeRoutes, ...issuerRoutes, ...listedAgentRoutes, ...policyRoutes]
