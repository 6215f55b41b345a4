// Events as the gateways send them, in the shapes of AWS's documentation: API Gateway HTTP API (payload 2.0; function URLs send the same), Application Load
// Balancer with and without multi-value headers; and their results converted to responses.

export type LambdaCall = {
  readonly method?: string
  readonly path: string
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly cookies?: readonly string[]
  readonly body?: string | Uint8Array
  readonly sourceIp?: string
}
export type LambdaAnswer = {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly cookies: readonly string[]
  readonly text: string
  readonly bytes: Uint8Array
}

/** docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html */
export const httpApiEvent = ({ method = 'GET', path, query = '', headers = {}, cookies = [], body, sourceIp = '203.0.113.7' }: LambdaCall) => ({
  version: '2.0',
  routeKey: '$default',
  rawPath: path,
  rawQueryString: query,
  ...(cookies.length === 0 ? {} : { cookies }),
  headers: { host: 'auth.example.com', 'x-forwarded-for': sourceIp, 'x-forwarded-port': '443', 'x-forwarded-proto': 'https', ...headers },
  ...(query === '' ? {} : { queryStringParameters: Object.fromEntries(new URLSearchParams(query)) }),
  requestContext: {
    accountId: '123456789012',
    apiId: 'api-id',
    domainName: 'auth.example.com',
    domainPrefix: 'auth',
    http: { method, path, protocol: 'HTTP/1.1', sourceIp, userAgent: headers['user-agent'] ?? 'agent' },
    requestId: 'JKJaXmPLvHcESHA=',
    routeKey: '$default',
    stage: '$default',
    time: '12/Mar/2026:19:03:58 +0000',
    timeEpoch: 1773342238000,
  },
  ...(body === undefined ? {} : { body: Buffer.from(body).toString('base64') }),
  isBase64Encoded: body !== undefined,
})

/** docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html */
export const albEvent = ({ method = 'GET', path, query = '', headers = {}, body, sourceIp = '203.0.113.7' }: LambdaCall, multiValue: boolean) => {
  const all = { host: 'auth.example.com', 'x-forwarded-for': sourceIp, 'x-forwarded-port': '443', 'x-forwarded-proto': 'https', ...headers }
  const parameters = Object.fromEntries(new URLSearchParams(query))
  const many = (of: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(of).map(([name, value]) => [name, [value]]))
  return {
    requestContext: { elb: { targetGroupArn: 'arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/authsec/49e9d65c45c6791a' } },
    httpMethod: method,
    path,
    ...(multiValue
      ? { multiValueQueryStringParameters: many(parameters), multiValueHeaders: many(all) }
      : { queryStringParameters: parameters, headers: all }),
    body: typeof body === 'string' ? body : Buffer.from(body ?? []).toString('base64'),
    isBase64Encoded: body !== undefined && typeof body !== 'string',
  }
}

type Raw = {
  readonly statusCode: number
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly cookies?: readonly string[]
  readonly body?: string
  readonly isBase64Encoded?: boolean
}

/** The response that the gateway would send. */
export const answerOf = (result: unknown): LambdaAnswer => {
  const raw = result as Raw
  const many = Object.entries(raw.multiValueHeaders ?? {})
  const single = [...Object.entries(raw.headers ?? {}), ...many.map(([name, values]) => [name, values.join(', ')] as const)]
  const headers = Object.fromEntries(single.map(([name, value]) => [name.toLowerCase(), value]))
  const setCookie =
    many.find(([name]) => name.toLowerCase() === 'set-cookie')?.[1] ?? (headers['set-cookie'] === undefined ? [] : [headers['set-cookie']])
  const bytes = Buffer.from(raw.body ?? '', raw.isBase64Encoded ? 'base64' : 'utf8')
  return { statusCode: raw.statusCode, headers, cookies: raw.cookies ?? setCookie, text: bytes.toString('utf8'), bytes }
}
