// Starts one worker under workerd, as miniflare does it: `node run.mjs SCRIPT BINDINGS [FLAG…]`. Says where it listens in one line; ends with its parent.
import { Miniflare } from 'miniflare'

const [, , scriptPath, bindings, ...compatibilityFlags] = process.argv
const miniflare = new Miniflare({
  modules: true,
  scriptPath,
  compatibilityDate: '2025-09-01',
  compatibilityFlags,
  bindings: JSON.parse(bindings),
  host: '127.0.0.1',
  port: 0,
})
process.stdout.write(`ready ${(await miniflare.ready).href}\n`)
process.stdin.resume()
process.stdin.once('end', () => miniflare.dispose().then(() => process.exit(0)))
