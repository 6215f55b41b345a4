// Metrics at the root and below the compatibility prefix.
import { scraper } from '#shared/platform/http/access'
import { text } from '#shared/platform/http/route'
import { compressed } from './compressed.ts'
import { route } from './group.ts'
import { scrape } from './scrape.ts'

const metricsAt = (id: string, path: '/metrics' | '/authsec/metrics') =>
  route({
    id,
    on: `GET ${path}`,
    summary: 'Read the metrics of the deployment as Prometheus text.',
    access: scraper(),
    reply: text(200, 'text/plain; version=0.0.4; charset=utf-8'),
    errors: ['unavailable'],
    emits: 'nothing',
    handle: async ({ ctx }) => compressed(ctx.request, await scrape(ctx)),
  })

export const metricsRoutes = [metricsAt('metrics.scrape', '/metrics'), metricsAt('metrics.scrapeBelowPrefix', '/authsec/metrics')]
