// The API description of client management on the paths of AuthSec, generated from the declarations. The full document with every schema is /openapi.json,
// which no function carries.

import { VERSION } from '#shared/kernel/version'
import { methodOf, pathOf, type Route } from '#shared/platform/http/route'

type Listed = Pick<Route<never>, 'id' | 'on' | 'summary' | 'reply'>

const template = (route: Listed): string => pathOf(route).replace(/:(\w+)/g, '{$1}')
const parameters = (route: Listed) =>
  [...pathOf(route).matchAll(/:(\w+)/g)].map(([, name]) => ({ name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }))

const operation = (route: Listed) => ({
  operationId: route.id,
  summary: route.summary,
  security: [{ session: [] }],
  parameters: parameters(route),
  responses: {
    ...Object.fromEntries(route.reply.variants.map(({ status, type }) => [status, { description: 'Done.', content: { [type]: {} } }])),
    default: { description: 'Refused or failed; `code` has the reason.' },
  },
})

/** Renders an OpenAPI 3.1 document without schemas. */
export const renderSwagger = (routes: readonly Listed[]): string => {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of routes) paths[template(route)] = { ...paths[template(route)], [methodOf(route).toLowerCase()]: operation(route) }
  return JSON.stringify({
    openapi: '3.1.0',
    info: { title: 'Client management', version: VERSION },
    paths,
    components: { securitySchemes: { session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
  })
}

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0)};`)

const line = (route: Listed): string => `<li><code>${methodOf(route)} ${escaped(template(route))}</code> ${escaped(route.summary)}</li>`

export const renderSwaggerPage = (routes: readonly Listed[]): string =>
  `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Client management</title></head>
<body>
<h1>Client management</h1>
<p><a href="/authsec/clientms/swagger/doc.json">OpenAPI document</a></p>
<ul>
${routes.map(line).join('\n')}
</ul>
</body>
</html>
`
