// Starts one worker under workerd, as miniflare does: `node run.mjs SCRIPT BINDINGS [MORE]`, where MORE has flags, a port, KV namespaces, and the addresses of the hosts
// that the worker calls (`hosts`). Prints its address in one line and ends with its parent.
import { fetch, Miniflare, Response } from 'miniflare'

const [, , scriptPath, bindings, more = '{}'] = process.argv
const { hosts, ...options } = JSON.parse(more)
const ask = (request) => {
  const { host, pathname, search } = new URL(request.url)
  return hosts[host] === undefined ? new Response('no such host', { status: 502 }) : fetch(`${hosts[host]}${pathname}${search}`)
}
const miniflare = new Miniflare({
  modules: true,
  scriptPath,
  compatibilityDate: '2025-09-01',
  bindings: JSON.parse(bindings),
  host: '127.0.0.1',
  port: 0,
  ...options,
  ...(hosts === undefined ? {} : { outboundService: ask }),
})
process.stdout.write(`ready ${(await miniflare.ready).href}\n`)
process.stdin.resume()
process.stdin.once('end', () => miniflare.dispose().then(() => process.exit(0)))
