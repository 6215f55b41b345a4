// Events as in AWS's documentation, member by member; a test changes the path, the method, the headers and the body.

/** docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, payload 2.0; a function URL sends the same without the members in `apiOnly`. */
export const HTTP_API = {
  version: '2.0',
  routeKey: '$default',
  rawPath: '/my/path',
  rawQueryString: 'parameter1=value1&parameter1=value2&parameter2=value',
  cookies: ['cookie1=one', 'cookie2=two'],
  headers: { host: 'id.example.com', header1: 'value1', header2: 'value1,value2' },
  queryStringParameters: { parameter1: 'value1,value2', parameter2: 'value' },
  requestContext: {
    accountId: '123456789012',
    apiId: 'api-id',
    authentication: {
      clientCert: { clientCertPem: 'CERT_CONTENT', subjectDN: 'www.example.com', issuerDN: 'Example issuer', serialNumber: 'a1:a1' },
    },
    authorizer: { jwt: { claims: { claim1: 'value1', claim2: 'value2' }, scopes: ['scope1', 'scope2'] } },
    domainName: 'id.example.com',
    domainPrefix: 'id',
    http: { method: 'POST', path: '/my/path', protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
    requestId: 'id',
    routeKey: '$default',
    stage: '$default',
    time: '12/Mar/2020:19:03:58 +0000',
    timeEpoch: 1583348638390,
  },
  body: 'Hello from Lambda',
  pathParameters: { parameter1: 'value1' },
  isBase64Encoded: false,
  stageVariables: { stageVariable1: 'value1', stageVariable2: 'value2' },
}

/** docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
export const FUNCTION_URL = {
  ...HTTP_API,
  requestContext: {
    accountId: '123456789012',
    apiId: '<urlid>',
    authentication: null,
    authorizer: {
      iam: {
        accessKey: 'AKIA...',
        accountId: '111122223333',
        callerId: 'AIDA...',
        userArn: 'arn:aws:iam::111122223333:user/example-user',
        userId: 'AIDA...',
      },
    },
    domainName: 'id.example.com',
    domainPrefix: '<url-id>',
    http: HTTP_API.requestContext.http,
    requestId: 'id',
    routeKey: '$default',
    stage: '$default',
    time: '12/Mar/2020:19:03:58 +0000',
    timeEpoch: 1583348638390,
  },
  pathParameters: null,
  stageVariables: null,
}

/** docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, payload 1.0 */
export const REST_API = {
  version: '1.0',
  resource: '/my/path',
  path: '/my/path',
  httpMethod: 'GET',
  headers: { header1: 'value1', header2: 'value2', host: 'id.example.com' },
  multiValueHeaders: { header1: ['value1'], header2: ['value1', 'value2'], host: ['id.example.com'] },
  queryStringParameters: { parameter1: 'value1', parameter2: 'value' },
  multiValueQueryStringParameters: { parameter1: ['value1', 'value2'], parameter2: ['value'] },
  requestContext: {
    accountId: '123456789012',
    apiId: 'id',
    authorizer: { claims: null, scopes: null },
    domainName: 'id.example.com',
    domainPrefix: 'id',
    extendedRequestId: 'request-id',
    httpMethod: 'GET',
    identity: {
      accessKey: null,
      accountId: null,
      caller: null,
      cognitoIdentityId: null,
      sourceIp: '192.0.2.1',
      user: null,
      userAgent: 'user-agent',
      userArn: null,
    },
    path: '/my/path',
    protocol: 'HTTP/1.1',
    requestId: 'id=',
    requestTime: '04/Mar/2020:19:15:17 +0000',
    requestTimeEpoch: 1583349317135,
    resourceId: null,
    resourcePath: '/my/path',
    stage: '$default',
  },
  pathParameters: null,
  stageVariables: null,
  body: '',
  isBase64Encoded: false,
}

const ELB = { targetGroupArn: 'arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/lambda-279XGJDqGZ5rsrHC2Fjr/49e9d65c45c6791a' }

/** docs.aws.amazon.com/lambda/latest/dg/services-alb.html */
export const BALANCER = {
  requestContext: { elb: ELB },
  httpMethod: 'GET',
  path: '/lambda',
  queryStringParameters: { query: '1234ABCD' },
  headers: {
    accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,image/apng,*/*;q=0.8',
    'accept-encoding': 'gzip',
    'accept-language': 'en-US,en;q=0.9',
    connection: 'keep-alive',
    host: 'id.example.com',
    'upgrade-insecure-requests': '1',
    'user-agent': 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/71.0.3578.98 Safari/537.36',
    'x-amzn-trace-id': 'Root=1-5c536348-3d683b8b04734faae651f476',
    'x-forwarded-for': '192.0.2.1',
    'x-forwarded-port': '443',
    'x-forwarded-proto': 'https',
    'x-imforwards': '20',
  },
  body: '',
  isBase64Encoded: false,
}

/** docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html#enable-multi-value-headers */
export const BALANCER_MULTI = {
  requestContext: { elb: ELB },
  httpMethod: 'GET',
  path: '/lambda',
  multiValueQueryStringParameters: { myKey: ['val1', 'val2'] },
  multiValueHeaders: Object.fromEntries(
    Object.entries({ ...BALANCER.headers, cookie: 'name1=value1' }).map(([name, value]) => [name, [value]]),
  ) as Record<string, string[]>,
  body: '',
  isBase64Encoded: false,
}

/** docs.aws.amazon.com/lambda/latest/dg/with-sqs.html */
export const QUEUE = {
  Records: [
    {
      messageId: '059f36b4-87a3-44ab-83d2-661975830a7d',
      receiptHandle: 'AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...',
      body: 'Test message.',
      attributes: {
        ApproximateReceiveCount: '1',
        SentTimestamp: '1545082649183',
        SenderId: 'AIDAIENQZJOLO23YVJ4VO',
        ApproximateFirstReceiveTimestamp: '1545082649185',
      },
      messageAttributes: {},
      md5OfBody: 'e4e68fb7bd0e697a0ae8f1bb342846b3',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:us-east-2:123456789012:my-queue',
      awsRegion: 'us-east-2',
    },
  ],
}

/** Other events that have a `requestContext`, or none: docs.aws.amazon.com/lambda/latest/dg/lambda-services.html */
export const NOT_HTTP: Readonly<Record<string, unknown>> = {
  'a queue': QUEUE,
  'a schedule': { version: '0', id: '53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa', 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {} },
  'a socket': {
    requestContext: { routeKey: '$connect', eventType: 'CONNECT', connectionId: 'L0SM9cOFvHcCIhw=', domainName: 'id.example.com' },
    isBase64Encoded: false,
  },
  'an authorizer': {
    version: '2.0',
    type: 'REQUEST',
    routeArn: 'arn:aws:execute-api:us-east-1:123456789012:abcdef123/test/GET/request',
    requestContext: { http: {} },
  },
  'a bucket': { Records: [{ eventSource: 'aws:s3', s3: { bucket: { name: 'b' }, object: { key: 'k' } } }] },
  'a lattice service': { path: '/x', method: 'GET', headers: {}, requestContext: { serviceArn: 'arn:aws:vpc-lattice:us-east-1:1:service/svc-1' } },
  'an empty context': { requestContext: {} },
  'no context': { requestContext: null },
  'an empty object': {},
  'a text': 'GET / HTTP/1.1',
  nothing: null,
}
