// All routes of the group.
import { evaluationRoutes } from './evaluation.routes.ts'
import { explainRoutes } from './explain.routes.ts'
import { metadataRoutes } from './metadata.routes.ts'
import { searchRoutes } from './search.routes.ts'
import { whatIfRoutes } from './what-if.routes.ts'

export const accessRoutes = [...evaluationRoutes, ...searchRoutes, ...metadataRoutes, ...explainRoutes, ...whatIfRoutes]
