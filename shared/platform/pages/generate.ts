// Bundles each page script (`*.client.ts`) into a module beside it, so that a function contains it as text. `--check` fails when one is stale.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const ROOT = new URL('../../../', import.meta.url)
const SCRIPTS = [
  'functions/account/set-password.client.ts',
  'shared/platform/pages/hosted.client.ts',
  'shared/platform/pages/ceremony.client.ts',
  'shared/platform/pages/push.client.ts',
  'shared/platform/pages/push-worker.client.ts',
  'functions/federation/callback.client.ts',
  'functions/oauth/form-post.client.ts',
  'functions/saml/acs.client.ts',
  'functions/webauthn/passkey.client.ts',
]

const bundled = async (path: string): Promise<string> => {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(path, ROOT))],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
    charset: 'utf8',
  })
  // In a page, `</script` would end the script wherever it appears.
  return (outputFiles[0]?.text ?? '').trim().replaceAll('</script', '<\\/script')
}

let stale = false
for (const path of SCRIPTS) {
  const target = new URL(path.replace(/\.ts$/, '.generated.ts'), ROOT)
  const text = `// Generated from ${path} by \`npm run pages\`.\nexport const SCRIPT = ${JSON.stringify(await bundled(path))}\n`
  if (!process.argv.includes('--check')) writeFileSync(target, text)
  else if (readFileSync(target, 'utf8') !== text) {
    stale = true
    process.stderr.write(`${fileURLToPath(target)} is stale: run \`npm run pages\`.\n`)
  }
}
if (stale) process.exit(1)
