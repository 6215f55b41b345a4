// One operation of the API page: what it is, who may call it, what it takes, answers, refuses and writes down.
import type { AccessNote, Content, OpenApiDocument, Operation, Ref, Response } from '#shared/platform/openapi/document'
import { responseOf } from '#shared/platform/openapi/document'
import { type DocumentedField, documentedField, documentedFields, fieldTypeName } from './fields.ts'

const minutes = (seconds: number): string => (seconds % 60 === 0 ? `${seconds / 60} minutes` : `${seconds} seconds`)

const WHO: Readonly<Record<AccessNote['rule'], (access: AccessNote) => string>> = {
  open: ({ why }) => `Anybody. ${why ?? ''}`,
  user: () => 'Anybody who is signed in.',
  userOrNobody: ({ why }) => `Anybody who is signed in, or carries the proof that the route asks for. ${why ?? ''}`,
  permission: ({ permissions = [] }) => `Somebody who is signed in and holds ${permissions.join(' and ')}.`,
  client: ({ permissions = [], orUser }) =>
    `A backend with its client\u2019s id and secret, whose service account holds ${permissions.join(' and ')}${orUser ? '; or anybody who is signed in' : ''}.`,
  page: ({ why }) => `Anybody, in a browser. ${why}`,
  browser: () => 'Anybody who is signed in in this browser',
  metrics: () => 'A scraper that shows the deployment\u2019s METRICS_TOKEN.',
}

/** Who may call, in one or two sentences. */
export const accessDescription = (access: AccessNote): string => {
  const { withinSeconds, acr, factor } = access.stepUp ?? {}
  const age = withinSeconds === undefined ? '' : ` The sign-in is at most ${minutes(withinSeconds)} old.`
  const strength =
    factor === undefined ? (acr === undefined ? '' : ` Its context is ${acr} or stronger.`) : ' A passkey was used, beside something of the person.'
  return `${WHO[access.rule](access)}${age}${strength}`
}

const howOften = ({ limit }: AccessNote): string =>
  `At most ${limit.perMinuteAndAddress} a minute from one address${limit.perMinuteAndAccount === undefined ? '' : `, ${limit.perMinuteAndAccount} a minute for one ${limit.account ?? 'account'}`}.`

const Fields = ({ fields, label }: { readonly fields: readonly DocumentedField[]; readonly label: string }) => (
  <table>
    <caption>{label}</caption>
    <thead>
      <tr>
        <th scope="col">Name</th>
        <th scope="col">Value</th>
      </tr>
    </thead>
    <tbody>
      {fields.map((field) => (
        <tr>
          <th scope="row">
            <code>{field.name}</code>
            {field.required ? <small>required</small> : ''}
          </th>
          <td>
            {field.type}
            {field.note === '' ? '' : <small>{field.note}</small>}
          </td>
        </tr>
      ))}
    </tbody>
  </table>
)

type Inside = { readonly document: OpenApiDocument; readonly operation: Operation }

const refsIn = (content: Content[string]): readonly Ref[] => ('anyOf' in content.schema ? content.schema.anyOf : [content.schema])

const Request = ({ document, operation }: Inside) => {
  const inPlace = (place: 'path' | 'query') =>
    (operation.parameters ?? [])
      .filter((parameter) => parameter.in === place)
      .map(({ name, required, schema }) => documentedField(document, name, required, schema))
  const tables = [
    { label: 'In the path', fields: inPlace('path') },
    { label: 'In the query', fields: inPlace('query') },
    ...Object.entries(operation.requestBody?.content ?? {}).flatMap(([type, content]) =>
      refsIn(content).map((ref) => ({ label: `Body, ${type}`, fields: documentedFields(document, ref) })),
    ),
  ].filter(({ fields }) => fields.length > 0)
  return (
    <section>
      <h4>Takes</h4>
      {tables.length === 0 ? <p>Nothing.</p> : tables.map(({ label, fields }) => <Fields label={label} fields={fields} />)}
    </section>
  )
}

/** `code`: title, one a line of the description. */
const codesOf = (response: Response): readonly (readonly [string, string])[] =>
  [...response.description.matchAll(/`(\w+)`: ([^\n]*)/g)].map(([, code = '', title = '']) => [code, title])

const Replies = ({ document, operation }: Inside) => (
  <section>
    <h4>Answers</h4>
    {Object.entries(operation.responses).map(([status, given]) => {
      const response = responseOf(document, given)
      // Errors have a table of their own; a status that is both an answer and an error shows its answer here.
      const said = response.description.replace(/ ?`\w+`: [^\n]*\n?/g, '')
      if (said === '') return ''
      const contents = Object.entries(response.content ?? {})
      return (
        <details>
          <summary>
            <strong>{status}</strong> {said} {contents.map(([type]) => type.replace(/;.*/, '')).join(', ')}
          </summary>
          {contents
            .flatMap(([, content]) => refsIn(content))
            .map((ref) => {
              const fields = documentedFields(document, ref)
              return fields.length === 0 ? (
                <p>{fieldTypeName(ref) === 'Text' ? 'Text.' : 'JSON.'}</p>
              ) : (
                <Fields label={fieldTypeName(ref)} fields={fields} />
              )
            })}
        </details>
      )
    })}
  </section>
)

const Errors = ({ document, operation }: Inside) => {
  const rows = Object.entries(operation.responses).flatMap(([status, given]) =>
    codesOf(responseOf(document, given)).map(([code, title]) => ({ status, code, title })),
  )
  return (
    <section>
      <h4>Refuses</h4>
      <details>
        <summary>{rows.length} errors</summary>
        <table>
          <caption>Errors</caption>
          <thead>
            <tr>
              <th scope="col">Code</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(({ status, code, title }) => (
              <tr>
                <th scope="row">
                  <code>{code}</code>
                  <small>{status}</small>
                </th>
                <td>{title}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </section>
  )
}

type Props = Inside & { readonly method: string; readonly path: string }

export const OperationArticle = ({ document, operation, method, path }: Props) => (
  <article id={operation.operationId}>
    <h3>
      <a href={`#${operation.operationId}`}>
        <span class="method">{method}</span> <code>{path}</code>
      </a>
    </h3>
    <p>{operation.summary}</p>
    <dl>
      <dt>Who may call</dt>
      <dd>{accessDescription(operation['x-access'])}</dd>
      <dt>How often</dt>
      <dd>{howOften(operation['x-access'])}</dd>
      <dt>Goes on record</dt>
      <dd>{operation['x-audit-events'].length === 0 ? 'Refusals alone.' : `${operation['x-audit-events'].join(', ')}; and refusals.`}</dd>
      <dt>Name</dt>
      <dd>
        <code>{operation.operationId}</code>
      </dd>
    </dl>
    <Request document={document} operation={operation} />
    <Replies document={document} operation={operation} />
    <Errors document={document} operation={operation} />
  </article>
)
