// The API reference: Scalar, served from our own origin, over the generated OpenAPI document.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Scalar's stand-alone build; read on the first request. */
const scalarFile = (): string => join(dirname(createRequire(import.meta.url).resolve('@scalar/api-reference')), 'browser/standalone.js')

let script: string | undefined
export const apiReferenceScript = (): string => {
  script ??= readFileSync(scalarFile(), 'utf8')
  return script
}

const CONFIGURATION = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  agent: { disabled: true },
  mcp: { disabled: true },
  documentDownloadType: 'json',
  defaultOpenAllTags: false,
}

/** Only scripts with the nonce run. Scalar sets style attributes and style elements at run time, so inline styles are allowed; no request leaves the origin. */
export const apiReferencePolicy = (nonce: string): string =>
  `default-src 'none'; script-src 'nonce-${nonce}'; style-src 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

export const apiReferencePage = (nonce: string): string => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>API reference</title>
  </head>
  <body>
    <main id="reference"></main>
    <script nonce="${nonce}" src="/docs/scalar.js"></script>
    <script nonce="${nonce}">Scalar.createApiReference('#reference', ${JSON.stringify(CONFIGURATION)})</script>
  </body>
</html>
`
