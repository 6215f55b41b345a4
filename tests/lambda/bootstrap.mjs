// Stands in for Lambda's Node runtime: loads one bundle, requests events from the Runtime API, and returns the handler's answers
// (docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). `node bootstrap.mjs BUNDLE`; AWS_LAMBDA_RUNTIME_API names the API.
const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime`
const send = (path, body) => fetch(`${api}/${path}`, { method: 'POST', body: JSON.stringify(body ?? null) })
const failureOf = (error) => ({ errorType: error?.name ?? 'Error', errorMessage: error?.message ?? String(error) })

let handler
try {
  handler = (await import(process.argv[2])).handler
} catch (error) {
  await send('init/error', failureOf(error))
  process.exit(1)
}
for (;;) {
  const next = await fetch(`${api}/invocation/next`)
  const id = next.headers.get('lambda-runtime-aws-request-id')
  const deadline = Number(next.headers.get('lambda-runtime-deadline-ms'))
  const context = { awsRequestId: id, getRemainingTimeInMillis: () => deadline - Date.now(), callbackWaitsForEmptyEventLoop: false }
  try {
    await send(`invocation/${id}/response`, await handler(await next.json(), context))
  } catch (error) {
    await send(`invocation/${id}/error`, failureOf(error))
  }
}
