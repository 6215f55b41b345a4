// Discovery of the policy decision point (AuthZEN section 9).
import * as z from 'zod'
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'

const Metadata = z
  .object({
    policy_decision_point: z.string(),
    access_evaluation_endpoint: z.string(),
    access_evaluations_endpoint: z.string(),
    search_subject_endpoint: z.string(),
    search_resource_endpoint: z.string(),
    search_action_endpoint: z.string(),
  })
  .meta({ id: 'AccessMetadata' })

export const metadataRoutes = [
  route({
    id: 'access.metadata',
    on: 'GET /.well-known/authzen-configuration',
    summary: 'Metadata of this policy decision point.',
    access: open('The endpoint addresses are public.', { class: 'general' }),
    reply: json(200, Metadata),
    cache: 'public, max-age=3600',
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx }) => {
      const base = ctx.config.BASE_URL
      return {
        policy_decision_point: base,
        access_evaluation_endpoint: `${base}/access/v1/evaluation`,
        access_evaluations_endpoint: `${base}/access/v1/evaluations`,
        search_subject_endpoint: `${base}/access/v1/search/subject`,
        search_resource_endpoint: `${base}/access/v1/search/resource`,
        search_action_endpoint: `${base}/access/v1/search/action`,
      }
    },
  }),
]
