// The API, readable: rendered on the server from the OpenAPI document. Without script it is complete; the script only searches.
import { raw } from 'hono/html'
import { type OpenApiDocument, operationsOf } from '#shared/platform/openapi/document'
import { OperationArticle } from './docs/operation.tsx'
import { CSS, SCRIPT } from './docs/style.ts'
import { ICON } from './icon.ts'

/** The page's own policy: its style sheet and its script, and nothing from anywhere else. */
export const docsPolicy = (nonce: string): string =>
  `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

type Listed = ReturnType<typeof operationsOf>[number]
type Section = { readonly name: string; readonly about: string; readonly operations: readonly Listed[] }

const sectionsOf = (document: OpenApiDocument): Section[] => {
  const operations = operationsOf(document)
  return document.tags.map(({ name, description }) => ({
    name,
    about: description,
    operations: operations.filter(({ operation }) => operation.tags.includes(name)),
  }))
}

/** What all paths of a group share is said once. */
const sharedPrefix = (paths: readonly string[]): string => {
  const parts = paths.map((path) => path.split('/').slice(0, -1))
  const [first = []] = parts
  const same = first.findIndex((part, at) => parts.some((other) => other[at] !== part))
  return (same === -1 ? first : first.slice(0, same)).join('/')
}

const Contents = ({ sections }: { readonly sections: readonly Section[] }) => (
  <ul>
    {sections.map(({ name, operations }) => {
      const prefix = sharedPrefix(operations.map(({ path }) => path))
      return (
        <li>
          <strong>
            {name} <code>{prefix}</code>
          </strong>
          <ul>
            {operations.map(({ method, path, operation }) => (
              <li>
                <a href={`#${operation.operationId}`}>
                  <span class="method">{method}</span>
                  <code>{path.slice(prefix.length)}</code>
                </a>
              </li>
            ))}
          </ul>
        </li>
      )
    })}
  </ul>
)

const Navigation = ({ sections }: { readonly sections: readonly Section[] }) => (
  <nav aria-label="Operations">
    <div id="finder" hidden>
      <label for="search">Search</label>
      <input id="search" type="search" autocomplete="off" spellcheck={false} />
      <p id="count" role="status" />
    </div>
    <details open>
      <summary>All operations</summary>
      <Contents sections={sections} />
    </details>
  </nav>
)

/** @param nonce of the style sheet and the script; see `docsPolicy` */
export const renderDocs = (document: OpenApiDocument, nonce: string): string => {
  const sections = sectionsOf(document)
  const page = (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${document.info.title} ${document.info.version}: the API`}</title>
        <link rel="icon" href={ICON} />
        <style nonce={nonce}>{raw(CSS)}</style>
      </head>
      <body>
        <header>
          <h1>{`${document.info.title} ${document.info.version}`}</h1>
          <p>{document.info.description.replaceAll('`', '')}</p>
          <a href="/openapi.json">The same as OpenAPI</a>
        </header>
        <Navigation sections={sections} />
        <main>
          {sections.map(({ name, about, operations }) => (
            <section aria-labelledby={`group-${name}`}>
              <h2 id={`group-${name}`}>{name}</h2>
              <p>{about}</p>
              {operations.map(({ method, path, operation }) => (
                <OperationArticle document={document} operation={operation} method={method} path={path} />
              ))}
            </section>
          ))}
        </main>
        <script nonce={nonce}>{raw(SCRIPT)}</script>
      </body>
    </html>
  )
  return `<!doctype html>${page}`
}
